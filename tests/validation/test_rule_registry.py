import re

import pytest
from lxml import etree

from gateway.codes import ReplyCode
from gateway.message import Limits, Severity, Unreadable, read
from gateway.validation import READING_RULES, RULES, WAY_RULES, Rule


@pytest.mark.parametrize("rule", [*RULES, *READING_RULES, *WAY_RULES], ids=lambda rule: rule.id)
def test_every_rule_can_be_documented(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.summary.endswith(".")
    assert rule.source
    assert rule.severity in Severity


def test_ids_are_unique() -> None:
    assert len({rule.id for rule in (*RULES, *READING_RULES, *WAY_RULES)}) == len((*RULES, *READING_RULES, *WAY_RULES))


def test_a_rule_emits_only_codes_that_it_declares() -> None:
    place = etree.fromstring("<a/>")
    rule = RULES[0]
    assert rule.finding(place, "text", "advice").code is rule.code
    with pytest.raises(ValueError, match=r"does not declare the code 5\.1"):
        rule.finding(place, "text", "advice", code=ReplyCode.HIGH_SYSTEM_ACTIVITY)


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "xml-empty"),
        (b"<a>" * 50, "message-too-large"),
        (b"<!DOCTYPE a><a/>", "xml-doctype"),
        (b"<a/", "xml-not-well-formed"),
        (b"<a b='' c='' d=''/>", "xml-attributes"),
        (b"<a/>", "envelope-root"),
        (b"<EventMessage xmlns='http://iec.ch/TC57/2011/schema/message'/>", "header-unusable"),
        (b"<C xmlns='http://iec.ch/TC57/2011/MeterReadingsMessage'/>", "strongly-typed"),
    ],
)
def test_what_reading_refuses_is_declared_among_its_rules(raw: bytes, rule: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(raw, Limits(message_bytes=100, attributes=2))
    finding = caught.value.finding
    declared = {rule.id: rule for rule in READING_RULES}
    assert finding.rule == rule
    assert finding.code is declared[rule].code
