"""The power events of a message, in the forms in which partners send them."""

from gateway.outages import Device, DeviceName, NoDevice, PowerEvent, power_events
from tests.outages.telling import CODES, FAILED, RESTORED, at, event_xml, message, meter

NOON = "2026-03-17T12:00:00Z"
TAMPER = "3.12.0.257"


def one(*events: str, noun: str = "EndDeviceEvents") -> PowerEvent:
    [event] = power_events(message(*events, noun=noun), CODES)
    assert isinstance(event, PowerEvent)
    return event


def test_power_events_are_read_and_others_passed_over() -> None:
    found = list(
        power_events(
            message(
                event_xml(FAILED, NOON, meter("M-1"), "e-1"),
                event_xml(TAMPER, NOON, meter("M-1")),
                event_xml(RESTORED, "2026-03-17T13:30:00+01:00", meter("M-2")),
            ),
            CODES,
        )
    )
    assert [(event.device.key, event.created, event.id) for event in found if isinstance(event, PowerEvent)] == [
        ("name M-1", at("12:00"), "e-1"),
        ("name M-2", at("12:30"), ""),
    ]


def test_a_device_is_its_mrid_and_is_called_by_its_name() -> None:
    device = one(
        event_xml(
            FAILED,
            NOON,
            "<Assets><mRID>abc</mRID><Names><name>M-1</name><NameType><name>Number</name></NameType></Names></Assets>",
        )
    ).device
    assert (device.key, device.shown, device.names[0].name_type) == ("abc", "M-1", "Number")


def test_where_no_device_is_named_the_usage_point_stands_for_it() -> None:
    device = one(event_xml(FAILED, NOON, "<UsagePoint><mRID>up</mRID></UsagePoint>")).device
    assert (device.key, device.shown) == ("point up", "at up")


def test_an_event_that_names_nothing_is_told_as_such() -> None:
    found = list(power_events(message(event_xml(FAILED, NOON, "<Assets/>", "e-9")), CODES))
    assert found == [NoDevice(FAILED, "e-9")]


def test_an_event_inside_readings_is_one_of_the_meter_beside_it() -> None:
    event = event_xml(FAILED, NOON, "").replace("EndDeviceEvent>", "EndDeviceEvents>")
    found = one(f"<MeterReading>{event}<Meter><mRID>M-7</mRID></Meter></MeterReading>", noun="MeterReadings")
    assert found.device.key == "M-7"


def test_a_type_may_be_referred_to_by_its_listed_name_or_by_a_definition_in_the_payload() -> None:
    named = one(event_xml("Power.Failed", NOON, meter("M-1")))
    assert named.code == "0.26.0.85"
    definition = f"<EndDeviceEventType><mRID>t-1</mRID><Names><name>{RESTORED}</name></Names></EndDeviceEventType>"
    assert one(event_xml("t-1", NOON, meter("M-1")), definition).code == RESTORED


def test_a_time_without_offset_or_that_is_none_is_not_guessed() -> None:
    for text in ("2026-03-17T12:00:00", "noon", ""):
        event = one(event_xml(FAILED, text, meter("M-1")))
        assert (event.created, event.created_text) == (None, text)


def test_the_hour_24_is_the_midnight_that_it_is() -> None:
    assert one(event_xml(FAILED, "2026-03-16T24:00:00Z", meter("M-1"))).created == at("00:00")


def test_a_message_that_takes_events_back_tells_of_no_outage() -> None:
    xml = event_xml(FAILED, "2026-03-17T14:03:00Z", meter("M-1"))
    read_as = {verb: message(xml, verb=verb) for verb in ("created", "changed", "canceled", "closed", "deleted")}
    found = {verb: len(list(power_events(one, CODES))) for verb, one in read_as.items()}
    assert found == {"created": 1, "changed": 1, "canceled": 0, "closed": 0, "deleted": 0}


def test_a_device_with_an_endless_name_has_a_key_of_its_own_that_a_database_takes() -> None:
    keys = {Device(names=(DeviceName("x" * 5_000 + end),)).key for end in "ab"}
    assert len(keys) == 2
    assert max(map(len, keys)) < 400
