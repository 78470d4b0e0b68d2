from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.message import EnvelopeVersion, Unreadable
from gateway.message.places import local_name
from gateway.validation import RULES, Verdict

_TEXTS = ["", " ", "true", "created", "OperationSet", "2024-03-01", "\u00e9{}'", "9" * 5000, "+1", "-0"]


def _damage(root: etree._Element, random: Random) -> None:
    """Change a few things in a message, as careless senders and worse do."""
    for _ in range(random.randint(1, 4)):
        elements = list(root.iter())
        element, other = random.choice(elements), random.choice(elements)
        parent = element.getparent()
        match random.randrange(7):
            case 0 if parent is not None:
                parent.remove(element)
            case 1 if parent is not None:
                parent.append(etree.fromstring(etree.tostring(element, with_tail=False)))
            case 2:
                element.tag = other.tag
            case 3:
                element.text = random.choice(_TEXTS)
            case 4:
                element.set(random.choice(["kind", "ref", "{urn:x}y"]), random.choice(_TEXTS))
            case 5:
                element.tag = random.choice(["", "{urn:x}"]) + local_name(element)
            case _:
                element.append(etree.fromstring(etree.tostring(other, with_tail=False)))


@pytest.fixture(scope="module")
def messages(write: Callable[..., bytes], root: Callable[..., str]) -> list[bytes]:
    operation = f"<Operation><operationId>1</operationId><verb>create</verb>{root('MeterReadings')}</Operation>"
    header = "<AsyncReplyFlag>true</AsyncReplyFlag><ReplyAddress>queue:q</ReplyAddress><MessageID>1</MessageID>"
    return [
        raw
        for version in EnvelopeVersion
        for raw in (
            write(payload=root("MeterReadings"), version=version),
            write("RequestMessage", "get", header=header, request=root("GetMeterReadings"), version=version),
            write("RequestMessage", "cancel", request="<ID>1</ID>", version=version),
            write(
                "ResponseMessage",
                "reply",
                reply="<Result>FAILED</Result><Error><code>1</code></Error>",
                version=version,
            ),
            write("RequestMessage", "execute", "OperationSet", payload=f"<OperationSet>{operation}</OperationSet>"),
            write(payload="<Compressed>H4sI</Compressed><Format>XML</Format>", version=version),
        )
    ]


@given(random=st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_a_damaged_message_is_refused_or_passed_but_never_breaks_the_check(
    random: Random, messages: list[bytes], check: Callable[..., Verdict]
) -> None:
    root = etree.fromstring(random.choice(messages))
    _damage(root, random)
    try:
        verdict = check(etree.tostring(root), context="TESTING")
    except Unreadable as unreadable:
        findings = [unreadable.finding]
    else:
        findings = list(verdict.findings)
    ours = {rule.id for rule in RULES}
    for finding in findings:
        assert (
            finding.rule in ours
            or finding.rule.startswith("cvc-")
            or finding.rule in ("header-unusable", "envelope-root")
        )
        assert finding.text
        assert finding.xpath.startswith("/")
        assert finding.line is not None
