from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import Message, MessageKind
from gateway.routing import Outcome, RouteTable

MakeMessage = Callable[..., Message]
Load = Callable[..., RouteTable]
PayloadWith = Callable[..., str]

STUDY: dict[str, object] = {"context": "STUDY"}

OMS = """
[system]
name = "OMS"
[[route]]
name = "outages"
noun = "EndDeviceEvents"
verbs = ["created"]
events = ["*.26.*.*"]
[[route]]
name = "the rest"
noun = "EndDeviceEvents"
verbs = ["created", "changed"]
sources = ["HES-NORTH"]
[[route]]
noun = "MeterConfig"
verbs = ["created"]
contexts = ["STUDY"]
not_sources = ["CIS"]
properties = { Urgent = "yes" }
not_properties = { Silent = "*" }
"""


def test_every_route_says_whether_it_fired_or_was_not_reached(
    routes: Load, message: MakeMessage, payload_with: PayloadWith
) -> None:
    outage = message(
        "EndDeviceEvents", "created", payload=payload_with("EndDeviceEvents", "EndDeviceEventType", "3.26.0.85")
    )
    first, second, third = routes(oms=OMS).explain(outage)
    assert (first.outcome, first.text) == (Outcome.FIRED, "Fires: OMS receives the message at queue:cim.OMS.")
    assert (second.outcome, second.by) == (Outcome.NOT_REACHED, first.route)
    assert second.text == "Not reached: route 1 of OMS fired before it."
    assert third.outcome is Outcome.NOT_REACHED


@pytest.mark.parametrize(
    ("number", "noun", "verb", "more", "said"),
    [
        (1, "MeterReadings", "created", {}, ("noun", "MeterReadings", "EndDeviceEvents")),
        (1, "EndDeviceEvents", "deleted", {}, ("verbs", "deleted", "created")),
        (1, "EndDeviceEvents", "created", {}, ("events", "no EndDeviceEventType", "*.26.*.*")),
        (2, "EndDeviceEvents", "changed", {"source": "MDM"}, ("sources", "MDM", "HES-NORTH")),
        (2, "EndDeviceEvents", "changed", {"source": None}, ("sources", "no Source", "HES-NORTH")),
        (2, "EndDeviceEvents", "changed", {"source": "OMS"}, ("own-event", "OMS", "a Source other than OMS")),
        (3, "MeterConfig", "created", {}, ("contexts", "TESTING", "STUDY")),
        (3, "MeterConfig", "created", {"context": None}, ("contexts", "no Context", "STUDY")),
        (3, "MeterConfig", "created", STUDY | {"source": "CIS"}, ("not_sources", "CIS", "a Source other than CIS")),
        (3, "MeterConfig", "created", STUDY, ("properties", "no Property Urgent", "Property Urgent = yes")),
        (
            3, "MeterConfig", "created", STUDY | {"properties": {"Urgent": "no"}},
            ("properties", "Property Urgent = no", "Property Urgent = yes"),
        ),
        (
            3, "MeterConfig", "created", STUDY | {"properties": {"Urgent": "yes", "Silent": "1"}},
            ("not_properties", "Property Silent = 1", "no Property Silent with any value"),
        ),
    ],
)  # fmt: skip
def test_a_route_that_does_not_fire_names_the_first_criterion_that_failed(
    routes: Load, message: MakeMessage, number: int, noun: str, verb: str, more: dict[str, object],
    said: tuple[str, str, str],
) -> None:  # fmt: skip
    explanation = routes(oms=OMS).explain(message(noun, verb, **more))[number - 1]
    assert explanation.outcome is Outcome.FAILED
    assert (explanation.criterion, explanation.found, explanation.wanted) == said


def test_the_codes_found_are_quoted_in_the_order_of_their_numbers(
    routes: Load, message: MakeMessage, payload_with: PayloadWith
) -> None:
    payload = payload_with("EndDeviceEvents", "EndDeviceEventType", "3.12.0.257", "3.2.22.150", "3.12.0.257")
    explanation = routes(oms=OMS).explain(message("EndDeviceEvents", "created", payload=payload))[0]
    assert explanation.text == "events: found 3.2.22.150, 3.12.0.257, the route wants *.26.*.*."


def test_many_codes_are_counted_not_listed(routes: Load, message: MakeMessage, payload_with: PayloadWith) -> None:
    payload = payload_with("EndDeviceEvents", "EndDeviceEventType", *(f"3.12.0.{index}" for index in range(300)))
    explanation = routes(oms=OMS).explain(message("EndDeviceEvents", "created", payload=payload))[0]
    assert explanation.found.endswith("3.12.0.7 and 292 more")


def test_an_event_of_the_system_itself_is_explained_as_such(routes: Load, message: MakeMessage) -> None:
    explanation = routes(oms=OMS).explain(message("EndDeviceEvents", "created", source="OMS"))[0]
    assert explanation.text == "The event is of OMS, and OMS never receives its own events."


def test_a_reply_is_explained_as_no_matter_of_routes(routes: Load, message: MakeMessage) -> None:
    explanations = routes(oms=OMS).explain(message("EndDeviceEvents", "reply", kind=MessageKind.RESPONSE))
    assert {explanation.criterion for explanation in explanations} == {"kind"}
    assert "conversation" in explanations[0].text


@pytest.mark.parametrize(
    ("noun", "verb", "more", "code", "element", "says"),
    [
        ("MeterReadings", "created", {}, ReplyCode.INVALID_NOUN, "Noun", "No route takes the noun MeterReadings."),
        ("EndDeviceEvents", "get", {}, ReplyCode.INVALID_VERB, "Verb", "only with changed, created"),
        (
            "MeterConfig", "created", {}, ReplyCode.INVALID_VERB, "Verb",
            "OMS route 3 (oms.toml:14): contexts: found TESTING, the route wants STUDY",
        ),
        ("EndDeviceEvents", "created", {"source": "OMS"}, ReplyCode.INVALID_VERB, "Verb", "never receives its own"),
    ],
)  # fmt: skip
def test_what_nobody_receives_says_which_of_noun_verb_and_criteria_is_at_fault(
    routes: Load, message: MakeMessage, noun: str, verb: str, more: dict[str, object], code: ReplyCode, element: str,
    says: str,
) -> None:  # fmt: skip
    table, lost = routes(oms=OMS), message(noun, verb, **more)
    assert table.match(lost) == ()
    finding = table.unroutable(lost)
    assert (finding.rule, finding.code, finding.element) == ("no-route", code, element)
    assert says in finding.text
    kind = "EventMessage" if verb != "get" else "RequestMessage"
    assert (finding.xpath, finding.line) == (f"/{kind}/Header/{element}", lost.root.sourceline)
    assert finding.found == (noun if element == "Noun" else verb)


def test_a_noun_that_looks_like_a_routed_one_is_pointed_out(routes: Load, message: MakeMessage) -> None:
    finding = routes(oms=OMS).unroutable(message("EndDeviceEvent", "created"))
    assert finding.advice.startswith("Did you mean EndDeviceEvents?")
    assert finding.allowed == ("EndDeviceEvents", "MeterConfig")
