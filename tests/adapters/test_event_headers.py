"""What an event on cim.out says of itself in its AMQP headers, so that a subscriber need not open it."""

import gzip
from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.subscribers import Subscribers
from gateway.adapters.subscribers import event_headers as headers_of
from gateway.endpoints.amqp import SHORT_STRING, HeaderValue
from gateway.message import Message, read
from gateway.message.subjects import subjects_of

M = "http://iec.ch/TC57/2011/schema/message"
NUMBER = st.integers(0, 400)
CODE = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER).map(lambda parts: ".".join(map(str, parts)))


def event(noun: str, inner: str, *, compressed: bool = False, source: str = "HES") -> Message:
    payload = f'<{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">{inner}</{noun}>'
    if compressed:
        payload = f"<Compressed>{b64encode(gzip.compress(payload.encode())).decode()}</Compressed>"
    return read(
        f'<EventMessage xmlns="{M}"><Header><Verb>created</Verb><Noun>{noun}</Noun><Source>{source}</Source></Header>'
        f"<Payload>{payload}</Payload></EventMessage>".encode()
    )


def event_headers(message: Message) -> dict[str, HeaderValue]:
    return headers_of(message, subjects_of(message))


def end_device_event(code: str, device: str = "", severity: str = "", point: str = "") -> str:
    asset = f"<Assets>{device}</Assets>" if device else ""
    grave = f"<severity>{severity}</severity>" if severity else ""
    place = f"<UsagePoint>{point}</UsagePoint>" if point else ""
    return f'<EndDeviceEvent>{grave}{asset}<EndDeviceEventType ref="{code}"/>{place}</EndDeviceEvent>'


def mrid(text: str) -> str:
    return f"<mRID>{text}</mRID>"


def name(text: str) -> str:
    return f"<Names><name>{text}</name></Names>"


def test_an_outage_says_its_type_its_domain_its_device_and_how_grave_it_is() -> None:
    outage = event("EndDeviceEvents", end_device_event("3.26.0.85", mrid("M-1"), "major", mrid("UP-1")))
    assert event_headers(outage) == {
        "cim-source": "HES",
        "cim-noun": "EndDeviceEvents",
        "cim-verb": "created",
        "cim-event:3.26.0.85": True,
        "cim-domain:26": True,
        "cim-devices": 1,
        "cim-severity": "major",
    }


def test_controls_have_their_types_and_domains_too() -> None:
    devices = f"<EndDevices>{mrid('M-1')}</EndDevices><EndDevices>{name('two')}</EndDevices>"
    control = f'<EndDeviceControl><EndDeviceControlType ref="3.31.0.23"/>{devices}</EndDeviceControl>'
    headers = event_headers(event("EndDeviceControls", control))
    assert headers["cim-control:3.31.0.23"] is True
    assert headers["cim-domain:31"] is True
    assert headers["cim-devices"] == 2


def test_a_device_counts_once_by_its_mrid_or_else_by_its_first_name() -> None:
    devices = (mrid("a"), mrid(" a ") + name("x"), name("b"), name("b") + name("c"), mrid("b"), "")
    storm = "".join(end_device_event("3.26.0.85", device) for device in devices)
    assert event_headers(event("EndDeviceEvents", storm))["cim-devices"] == 3


def test_usage_points_count_where_no_device_is_named() -> None:
    storm = "".join(end_device_event("3.26.0.85", point=mrid(point)) for point in ("u", "v", "u"))
    assert event_headers(event("EndDeviceEvents", storm))["cim-devices"] == 2


def test_different_severities_give_none() -> None:
    mixed = end_device_event("3.26.0.85", severity="major") + end_device_event("3.26.0.85", severity="minor")
    assert "cim-severity" not in event_headers(event("EndDeviceEvents", mixed))


def test_codes_are_found_in_a_compressed_payload() -> None:
    packed = event("EndDeviceEvents", end_device_event("3.26.0.85", mrid("M-1")), compressed=True)
    headers = event_headers(packed)
    assert (headers["cim-domain:26"], headers["cim-devices"]) == (True, 1)


def test_an_event_without_payload_says_only_who_sent_what() -> None:
    header = "<Header><Verb>created</Verb><Noun>MeterReadings</Noun></Header>"
    bare = read(f'<EventMessage xmlns="{M}">{header}</EventMessage>'.encode())
    assert event_headers(bare) == {"cim-noun": "MeterReadings", "cim-verb": "created"}


@given(st.lists(CODE, max_size=60))
def test_of_each_kind_there_are_at_most_twenty_and_a_header_tells_of_more(codes: list[str]) -> None:
    headers = event_headers(event("EndDeviceEvents", "".join(end_device_event(code) for code in codes)))
    types, domains = set(codes), {code.split(".")[1] for code in codes}
    shown_types = {key.removeprefix("cim-event:") for key in headers if key.startswith("cim-event:")}
    shown_domains = {key.removeprefix("cim-domain:") for key in headers if key.startswith("cim-domain:")}
    assert shown_types <= types
    assert shown_domains <= domains
    assert (len(shown_types), len(shown_domains)) == (min(len(types), 20), min(len(domains), 20))
    assert ("cim-more" in headers) is (len(types) > 20 or len(domains) > 20)


@given(st.text(st.characters(codec="utf-8", exclude_characters='<>&"', exclude_categories=("Cc", "Cs")), max_size=400))
def test_whatever_stands_for_a_code_no_header_has_a_name_that_amqp_cannot_carry(text: str) -> None:
    headers = event_headers(event("EndDeviceEvents", end_device_event(text)))
    assert all(len(key.encode()) <= SHORT_STRING for key in headers)


def test_an_event_goes_out_as_it_came_under_its_noun_and_verb_with_what_travels_on() -> None:
    message = event("EndDeviceEvents", end_device_event("3.26.0.85"))
    made = Subscribers("TESTING").publication(
        message,
        subjects_of(message),
        passed_on={"traceparent": "00-1", "cim-source": "not me"},
        repeated=True,
        unwanted=None,
    )
    headers = made.properties.headers or {}
    assert (made.body, str(made.address)) == (message.raw, "topic:TESTING.EVENTS.EndDeviceEvents.created")
    assert (headers["traceparent"], headers["cim-source"], headers["cim-redelivered"]) == ("00-1", "HES", True)
    assert made.properties.app_id == "HES"


def test_a_type_that_is_a_name_or_an_id_is_told_by_the_mark_for_more() -> None:
    """Else whoever chooses by code or domain would miss it without a sign."""
    assert event_headers(event("EndDeviceEvents", end_device_event("Power.Failed")))["cim-more"] is True
    assert "cim-more" not in event_headers(event("EndDeviceEvents", end_device_event("3.26.0.85")))
    assert "cim-more" not in event_headers(event("EndDeviceEvents", "<EndDeviceEvent/>"))
