"""What the broker's bindings and the gateway's marks select together is what the filter takes, and nothing else."""

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.adapters.subscribers import Subscribers
from gateway.endpoints.amqp import HeaderValue
from gateway.message import Message, read
from gateway.message.subjects import MOST_NAMES, Subjects, subjects_of
from gateway.subscriptions import (
    BadDocument,
    BadFilter,
    BadSubscription,
    Filter,
    Judge,
    Judged,
    Marker,
    Subscription,
    ToFeed,
    ToFile,
    ToQueue,
    ToWebhook,
    check_name,
    described,
    filter_of,
    from_json,
    selection,
    to_json,
)

M = "http://iec.ch/TC57/2011/schema/message"
NOUNS = ("EndDeviceEvents", "EndDeviceControls", "MeterReadings")
VERBS = ("created", "changed", "canceled")
SOURCES = ("HES", "HES-2", "GEN")
SEVERITIES = ("major", "Minor", "info")
DEVICES = ("M-1", "M-2", "M-3")
PART = st.sampled_from(("0", "3", "26", "85"))
CODES = st.tuples(PART, PART, PART, PART).map(".".join)
PATTERNS = st.tuples(*[PART | st.just("*")] * 4).map(".".join)


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, max_size=3, unique=True).map(tuple)


FILTERS = st.builds(
    Filter,
    nouns=some(st.sampled_from(NOUNS)),
    verbs=some(st.sampled_from(VERBS)),
    sources=some(st.sampled_from(SOURCES)),
    events=some(PATTERNS),
    devices=some(st.sampled_from(DEVICES)) | st.just(()),
    severities=some(st.sampled_from(SEVERITIES)) | st.just(()),
)
DELIVERIES = (
    st.just(ToQueue())
    | st.builds(ToWebhook, st.just("https://oms.example/events"))
    | st.builds(ToFile, st.just("/var/spool/events.jsonl"), st.booleans(), st.integers(0, 10**9))
    | st.builds(ToFeed, st.integers(60, 10**7), st.integers(10**6, 10**9))
)


@st.composite
def events(draw: st.DrawFn) -> Message:
    noun, verb, source = (draw(st.sampled_from(values)) for values in (NOUNS, VERBS, SOURCES))
    # More codes than headers tell are wanted often enough.
    codes = draw(st.lists(CODES, max_size=4) | st.lists(CODES, min_size=21, max_size=40, unique=True))
    device, severity = st.sampled_from((*DEVICES, "")), st.sampled_from((*SEVERITIES, ""))
    kind = draw(st.sampled_from(("EndDeviceEvent", "EndDeviceControl")))
    parts = "".join(
        f"<{kind}><{kind}Type ref='{code}'/><severity>{draw(severity)}</severity>"
        f"<Assets><mRID>{draw(device)}</mRID></Assets></{kind}>"
        for code in codes
    )
    payload = f"<Payload><{noun} xmlns='http://iec.ch/TC57/2011/{noun}#'>{parts}</{noun}></Payload>"
    header = f"<Header><Verb>{verb}</Verb><Noun>{noun}</Noun><Source>{source}</Source></Header>"
    return read(f'<EventMessage xmlns="{M}">{header}{payload if draw(st.booleans()) else ""}</EventMessage>'.encode())


def one(*codes: str, device: str = "M-1", noun: str = "EndDeviceEvents", source: str = "HES") -> Message:
    parts = "".join(
        f"<EndDeviceEvent><EndDeviceEventType ref='{code}'/><Assets><mRID>{device}</mRID></Assets></EndDeviceEvent>"
        for code in codes
    )
    header = f"<Header><Verb>created</Verb><Noun>{noun}</Noun><Source>{source}</Source></Header>"
    payload = f"<{noun} xmlns='http://iec.ch/TC57/2011/{noun}#'>{parts}</{noun}>"
    return read(f'<EventMessage xmlns="{M}">{header}<Payload>{payload}</Payload></EventMessage>'.encode())


def headers(message: Message, *subscriptions: Subscription) -> dict[str, HeaderValue]:
    made = Subscribers("TESTING", marker=Marker(subscriptions)).publication(
        message, subjects_of(message), passed_on={}, repeated=False, unwanted=None
    )
    return dict(made.properties.headers or {})


def selected(subscription: Subscription, told: dict[str, HeaderValue]) -> bool:
    """As a headers exchange with `x-match: all` selects."""
    bindings = selection(subscription).bindings
    return any(all(told.get(name) == value for name, value in binding) for binding in bindings)


@given(FILTERS, events())
@example(Filter(events=("3.26.0.85",)), one(*(f"0.3.0.{n}" for n in range(40)), "3.26.0.85"))
@example(Filter(events=("*.26.*.*",)), one(*(f"0.{n}.0.0" for n in range(100, 140)), "3.26.0.85"))
def test_a_queue_gets_an_event_exactly_if_its_filter_takes_it(wanted: Filter, event: Message) -> None:
    subscription = Subscription("S", wanted)
    taken = Judge(wanted).takes(event.header, subjects_of(event))
    assert selected(subscription, headers(event, subscription)) is taken


@given(FILTERS, FILTERS, events())
def test_a_mark_by_an_older_filter_of_the_same_name_selects_nothing(old: Filter, new: Filter, event: Message) -> None:
    told = headers(event, Subscription("S", old))
    by_headers = any(all(told.get(n) == v for n, v in match) for match in selection(Subscription("S", new)).matches)
    if old != new:
        assert selected(Subscription("S", new), told) is by_headers


@given(FILTERS, DELIVERIES, st.text(max_size=20))
def test_a_subscription_is_read_as_it_was_written(wanted: Filter, delivery: ToQueue | ToFile, note: str) -> None:
    subscription = Subscription("north_2", wanted, delivery, 1_790_000_000.25, "jdoe", note)
    assert from_json(to_json(subscription)) == subscription


@pytest.mark.parametrize(
    ("wanted", "taken", "left"),
    [
        (Filter(), one("3.12.0.257"), None),
        (Filter(events=("3.26.0.85",)), one("3.12.0.257", "3.26.0.85"), one("3.26.0.216")),
        (Filter(events=("*.26.0.85",)), one("10.26.0.85"), one("3.26.0.216")),
        (Filter(events=("3.26.*.*",)), one("3.26.0.216"), one("10.26.0.216")),
        (Filter(sources=("HES",), nouns=("MeterReadings", "EndDeviceEvents")), one(), one(source="GEN")),
        (Filter(devices=("M-7", "M-8")), one("3.26.0.85", device="M-8"), one("3.26.0.85", device="M-9")),
    ],
)
def test_filters_take_what_their_values_say(wanted: Filter, taken: Message, left: Message | None) -> None:
    judge = Judge(wanted)
    assert judge.takes(taken.header, subjects_of(taken))
    assert left is None or not judge.takes(left.header, subjects_of(left))


def test_headers_alone_select_where_they_can() -> None:
    wanted = Filter(nouns=("EndDeviceEvents",), sources=("HES", "GEN"))
    assert selection(Subscription("S", wanted)).judged is Judged.NEVER
    assert len(selection(Subscription("S", wanted)).bindings) == 2


def test_an_event_that_names_too_many_devices_to_keep_is_taken_by_every_filter_for_devices() -> None:
    storm = Subjects(names=tuple(map(str, range(MOST_NAMES))))
    assert Judge(Filter(devices=("M-1",))).takes(one().header, storm)


def test_an_event_may_be_wanted_by_its_listed_name() -> None:
    assert filter_of({"events": ["power.failed", " 3.26.*.* "]}).events == ("*.26.0.85", "3.26.*.*")


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"events": ["3.26.0"]}, "it has 3 parts"),
        ({"events": ["3.26.0.085"]}, "without sign or zeros"),
        ({"events": ["Power.Gone"]}, "codes search"),
        ({"verbs": ["create"]}, "No event has the verb 'create'"),
        ({"sources": [" "]}, "is empty"),
        ({"colour": ["red"]}, "no field 'colour'"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_what_to_write(given_: dict[str, list[str]], said: str) -> None:
    with pytest.raises(BadFilter, match=re.escape(said)):
        filter_of(given_)


@pytest.mark.parametrize("name", ["", "-a", "a.b", "a b", "ä", "a" * 64])
def test_a_name_that_no_queue_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadSubscription, match="no name for a subscription"):
        check_name(name)


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1}'])
def test_what_is_no_subscription_is_refused(text: str) -> None:
    with pytest.raises(BadDocument):
        from_json(text)


def test_a_value_of_another_type_in_a_document_is_refused() -> None:
    document = json.loads(to_json(Subscription("S", Filter(), ToFile("events.jsonl"))))
    document["delivery"]["daily"] = "yes"
    with pytest.raises(BadDocument, match="daily"):
        from_json(json.dumps(document))


def test_a_filter_is_said_in_a_line() -> None:
    assert described(Filter()) == "every event"
    assert described(filter_of({"nouns": ["EndDeviceEvents"], "events": ["*.26.*.*", "3.12.0.257"]})) == (
        "nouns EndDeviceEvents; events *.26.*.*, 3.12.0.257"
    )
