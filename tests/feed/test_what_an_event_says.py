"""The JSON document of an event."""

from tests.e2e.traffic import parts
from tests.feed.conftest import Subscription, serving

METER = (
    "<Assets><mRID>11d3-9a</mRID><Names><name>M-1</name></Names></Assets>"
    "<UsagePoint><Names><name>UP-7</name></Names></UsagePoint>"
)


def events(*inner: str) -> bytes:
    made = parts("EndDeviceEvents", "created")
    made.id = "message-1"
    payload = "".join(f"<EndDeviceEvent>{one}</EndDeviceEvent>" for one in inner)
    made.payload = f'<Payload><EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">{payload}</EndDeviceEvents></Payload>'
    return made.xml()


def event(code: str, created: str = "2026-03-01T03:59:58Z", device: str = METER) -> str:
    return (
        f"<mRID>e-1</mRID><createdDateTime>{created}</createdDateTime><severity>major</severity>{device}"
        f'<EndDeviceEventType ref="{code}"/>'
    )


async def test_an_event_says_what_its_header_says_and_what_it_is_about_in_words(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    body = events(event("3.26.0.85"))
    await subscription.publish(body)
    async with serving(amqp_url) as served, served.client(subscription.name, "?from=first") as client:
        told = await client.next()
    assert told.name == "created(EndDeviceEvents)"
    assert told.data == {
        "id": 0,
        "verb": "created",
        "noun": "EndDeviceEvents",
        "source": "GEN",
        "message_id": "message-1",
        "correlation_id": "message-1",
        "context": "TESTING",
        "timestamp": "2026-03-01T08:00:00Z",
        "devices": {"count": 1, "usage_points": 1, "names": ["11d3-9a", "M-1", "UP-7"]},
        "codes": [
            {"code": "3.26.0.85", "kind": "event", "name": "Power.Failed", "meaning": "outage", "listed": True},
        ],
        "power": [
            {
                "device": "M-1",
                "key": "11d3-9a",
                "code": "3.26.0.85",
                "meaning": "last gasp",
                "of": "supply",
                "at": "2026-03-01T03:59:58Z",
                "sureness": "listed",
                "text": "electric meter M-1 lost power on 2026-03-01 at 03:59:58 UTC",
                "severity": "major",
                "event_id": "e-1",
            }
        ],
        "published": "2026-03-01T04:00:10Z",
    }


async def test_an_event_that_came_twice_or_whose_clock_is_wrong_says_so(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    body = events(event("3.26.25.37", created="1970-01-01T00:00:00Z"), event("3.26.0.216", device=""))
    await subscription.publish(body, **{"cim-redelivered": True})
    async with serving(amqp_url) as served, served.client(subscription.name, "?from=first") as client:
        told = (await client.next()).data
    assert told["repeated"] is True
    [power] = told["power"]
    assert (power["at"], power["at_is_arrival"], power["sureness"]) == ("2026-03-01T04:00:10Z", True, "inferred")
    assert power["text"] == (
        "electric meter M-1 phase restored on 2026-03-01 at 04:00:10 UTC (time of arrival: its own is missing or wrong)"
    )
    assert told["power_without_device"] == 1


async def test_the_xml_comes_too_where_it_is_wanted(amqp_url: str, subscription: Subscription) -> None:
    await subscription.make()
    utf8 = events(event("3.26.0.85")).replace(b"GEN", "Gen \N{SNOWMAN}".encode())
    latin = utf8.replace("Gen \N{SNOWMAN}".encode(), "Gén".encode("latin-1")).replace(b"UTF-8", b"ISO-8859-1")
    await subscription.publish(utf8, latin)
    async with serving(amqp_url) as served:
        async with served.client(subscription.name, "?from=first&body=xml") as client:
            assert (await client.next()).data["body"] == utf8.decode()
            other = (await client.next()).data
            assert (other["source"], "body" in other, len(other["body_base64"]) > len(latin)) == ("Gén", False, True)
        async with served.client(subscription.name, "?from=first") as client:
            assert "body" not in (await client.next()).data


async def test_an_event_with_more_devices_than_are_told_says_how_many_are_left_out(
    amqp_url: str, subscription: Subscription
) -> None:
    await subscription.make()
    many = [event("3.26.0.85", device=f"<Assets><mRID>M-{n}</mRID></Assets>") for n in range(1_010)]
    await subscription.publish(events(*many))
    async with serving(amqp_url) as served, served.client(subscription.name, "?from=first") as client:
        told = (await client.next()).data
    assert (told["devices"]["count"], len(told["devices"]["names"]), told["devices"]["left_out"]) == (1_010, 1_000, 10)
    assert (len(told["power"]), told["power_left_out"]) == (1_000, 10)


async def test_what_is_no_message_is_told_by_its_headers_and_why(amqp_url: str, subscription: Subscription) -> None:
    await subscription.make()
    await subscription.publish_raw(b"<x", {"cim-noun": "EndDeviceEvents", "cim-verb": "created\nid: 9"})
    await subscription.outages(1)
    async with serving(amqp_url) as served, served.client(subscription.name, "?from=first") as client:
        told = await client.next()
        assert (told.id, told.name) == ("0", "createdid: 9(EndDeviceEvents)")
        assert told.data["unreadable"]
        assert await client.ids(1) == [1]
