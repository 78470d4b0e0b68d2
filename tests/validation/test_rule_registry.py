import re

import pytest
from lxml import etree

from gateway.codes import ReplyCode
from gateway.message import Severity
from gateway.validation import RULES, Rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_can_be_documented(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.summary.endswith(".")
    assert rule.source
    assert rule.severity in Severity


def test_ids_are_unique() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


def test_a_rule_emits_only_codes_that_it_declares() -> None:
    place = etree.fromstring("<a/>")
    rule = RULES[0]
    assert rule.finding(place, "text", "advice").code is rule.code
    with pytest.raises(ValueError, match=r"does not declare the code 5\.1"):
        rule.finding(place, "text", "advice", code=ReplyCode.HIGH_SYSTEM_ACTIVITY)
