"""Events on cim.out: once each, for whoever binds a queue; and the events that follow from requests."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from lxml import etree

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from tests.e2e.harness import GatewayProcess, depth, drain, make_queue, running, store_of, take, until
from tests.e2e.traffic import Parts, key_of, parts

FINAL = "http://iec.ch/TC57/2011/schema/message"
M = f"{{{FINAL}}}"
BASE = "http://iec.ch/TC57/2011/"


class Subscriber:
    """A program that has bound a queue of its own to cim.out."""

    def __init__(self, queue: aio_pika.abc.AbstractQueue) -> None:
        self._queue = queue
        self.heard: list[aio_pika.abc.AbstractIncomingMessage] = []

    async def next(self) -> aio_pika.abc.AbstractIncomingMessage:
        await until(self._look, "the subscriber hears an event")
        return self.heard[-1]

    async def _look(self) -> bool:
        message = await self._queue.get(no_ack=True, fail=False)
        if message is not None:
            self.heard.append(message)
        return message is not None

    async def hears_no_more(self) -> bool:
        return not await self._look()


@asynccontextmanager
async def subscribed(
    url: str, key: str = "TESTING.EVENTS.#", match: dict[str, Any] | None = None
) -> AsyncIterator[Subscriber]:
    """Bind by routing key, or (`match`) by headers."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        if match is None:
            await queue.bind("cim.out", key)
        else:
            await queue.bind("cim.events", arguments=match)
        yield Subscriber(queue)


def publishing(url: str, folder: Path, **settings: str) -> AbstractAsyncContextManager[GatewayProcess]:
    """A gateway that publishes every event."""
    return running(url, folder, **settings)


def routes(folder: Path, **systems: str) -> None:
    """Write routing tables: for each system its routes, each `noun verb more`."""
    (folder / "routes").mkdir()
    for name, text in systems.items():
        tables = "".join(
            f'[[route]]\nnoun = "{noun}"\nverbs = ["{verb}"]\n{"".join(more)}\n'
            for noun, verb, *more in (line.strip().split(maxsplit=2) for line in text.strip().splitlines())
        )
        (folder / "routes" / f"{name.lower()}.toml").write_text(f'[system]\nname = "{name}"\n{tables}')


async def send(url: str, made: Parts) -> None:
    await send_raw(url, made.xml(), key_of(made))


async def send_raw(url: str, body: bytes, key: str) -> None:
    async with await Partner.open(Access(url, "sender")) as partner:
        await partner.send(body, key)


async def idle(url: str, gateway: GatewayProcess) -> None:
    """Wait until everything that came in is settled."""

    async def empty() -> bool:
        return await depth(url, "cim.in.TESTING") == 0

    await until(empty, "the intake is empty")
    assert await gateway.stop() == 0


def said(body: bytes, path: str) -> str | None:
    return etree.fromstring(body).findtext("/".join(M + step for step in path.split("/")))


async def test_an_event_reaches_its_systems_and_once_every_subscriber(amqp_url: str, tmp_path: Path) -> None:
    made = parts("EndDeviceEvents", "created")
    async with (
        publishing(amqp_url, tmp_path) as gateway,
        subscribed(amqp_url) as one,
        subscribed(amqp_url) as two,
    ):
        await send(amqp_url, made)
        heard = [await one.next(), await two.next()]
        await idle(amqp_url, gateway)
        assert await one.hears_no_more()
    for message in heard:
        assert message.body == made.xml()
        assert message.routing_key == "TESTING.EVENTS.EndDeviceEvents.created"
        assert (message.app_id, message.correlation_id) == ("GEN", made.id)
        headers = message.headers
        assert headers["cim-event:3.26.0.85"] is True
        assert headers["cim-domain:26"] is True
        assert (headers["cim-source"], headers["cim-message-id"]) == ("GEN", made.id)
    taken = await drain(amqp_url, ["cim.MDM", "cim.OMS", "cim.dead"])
    assert {queue: len(arrivals) for queue, arrivals in taken.items()} == {"cim.MDM": 1, "cim.OMS": 1}


async def test_a_headers_binding_hears_of_outages_alone(amqp_url: str, tmp_path: Path) -> None:
    match = {"x-match": "all", "cim-domain:26": True, "cim-source": "GEN"}
    async with (
        publishing(amqp_url, tmp_path) as gateway,
        subscribed(amqp_url, match=match) as outages,
    ):
        for code in ("3.12.0.257", "3.26.0.85", "3.12.0.258"):
            await send(amqp_url, parts("EndDeviceEvents", "created", event=code))
        heard = await outages.next()
        assert heard.headers["cim-event:3.26.0.85"] is True
        await idle(amqp_url, gateway)
        assert await outages.hears_no_more()


async def test_an_event_that_only_subscribers_want_is_no_dead_letter(amqp_url: str, tmp_path: Path) -> None:
    routes(tmp_path, MDM="MeterReadings created")
    async with publishing(amqp_url, tmp_path) as gateway:
        async with subscribed(amqp_url, "TESTING.EVENTS.EndDeviceEvents.*") as subscriber:
            await send(amqp_url, parts("EndDeviceEvents", "created"))
            await subscriber.next()
        await idle(amqp_url, gateway)
    assert await depth(amqp_url, "cim.dead") == 0


async def test_an_event_that_neither_system_nor_subscriber_takes_is_kept_with_the_reason(
    amqp_url: str, tmp_path: Path
) -> None:
    routes(tmp_path, MDM="MeterReadings created")
    made = parts("EndDeviceEvents", "created")
    async with (
        publishing(amqp_url, tmp_path),
        subscribed(amqp_url, "TESTING.EVENTS.MeterReadings.*") as subscriber,
    ):
        await send(amqp_url, made)
        [dead] = await take(amqp_url, "cim.dead", 1)
        assert await subscriber.hears_no_more()
    assert dead.body == made.xml()
    assert (dead.headers["reason"], dead.headers["code"], dead.headers["rule"]) == ("unroutable", "2.5", "no-route")


async def test_an_event_that_a_system_takes_needs_no_subscriber(amqp_url: str, tmp_path: Path) -> None:
    async with publishing(amqp_url, tmp_path) as gateway:
        await send(amqp_url, parts("MeterReadings", "created"))
        await take(amqp_url, "cim.MDM", 1)
        await idle(amqp_url, gateway)
    assert await depth(amqp_url, "cim.dead") == 0


async def test_where_it_is_switched_off_subscribers_hear_nothing_of_what_systems_say(
    amqp_url: str, tmp_path: Path
) -> None:
    async with running(amqp_url, tmp_path, publish_events="false") as gateway, subscribed(amqp_url) as subscriber:
        await send(amqp_url, parts("MeterReadings", "created"))
        await take(amqp_url, "cim.MDM", 1)
        await idle(amqp_url, gateway)
        assert await subscriber.hears_no_more()


async def test_requests_and_refused_events_are_not_published(amqp_url: str, tmp_path: Path) -> None:
    wrong = parts("MeterReadings", "created")
    wrong.context = "PRODUCTION"
    async with publishing(amqp_url, tmp_path) as gateway, subscribed(amqp_url, "#") as subscriber:
        await send(amqp_url, wrong)
        await send(amqp_url, parts("MeterReadings", "get"))
        await take(amqp_url, "cim.dead", 1)
        await take(amqp_url, "cim.MS", 1)
        await idle(amqp_url, gateway)
        assert await subscriber.hears_no_more()


def request(verb: str, noun: str, payload: str, *, source: str = "CIS", message_id: str = "m-1") -> bytes:
    return f"""<RequestMessage xmlns="{FINAL}">
  <Header><Verb>{verb}</Verb><Noun>{noun}</Noun><Source>{source}</Source>
    <ReplyAddress>queue:replies</ReplyAddress><MessageID>{message_id}</MessageID><CorrelationID>c-1</CorrelationID></Header>
  <Payload>{payload}</Payload>
</RequestMessage>""".encode()


def reply(asked: Arrival, noun: str, *, result: str = "OK") -> bytes:
    return f"""<ResponseMessage xmlns="{FINAL}">
  <Header><Verb>reply</Verb><Noun>{noun}</Noun><Source>MDM</Source>
    <MessageID>reply-to-{said(asked.body, "Header/MessageID")}</MessageID>
    <CorrelationID>{said(asked.body, "Header/CorrelationID")}</CorrelationID></Header>
  <Reply><Result>{result}</Result></Reply>
</ResponseMessage>""".encode()


async def answer(url: str, body: bytes) -> None:
    async with await Partner.open(Access(url, "MDM")) as partner:
        await partner.send_to_queue(body, "cim.in.TESTING")


def meter(mrid: str) -> str:
    return f'<MeterConfig xmlns="{BASE}MeterConfig#"><Meter><mRID>{mrid}</mRID></Meter></MeterConfig>'


def operation(number: int, mrid: str) -> str:
    return (
        f"<Operation><operationId>{number}</operationId><noun>MeterConfig</noun><verb>create</verb>{meter(mrid)}"
        "</Operation>"
    )


async def test_what_was_created_is_told_to_all_but_its_source(amqp_url: str, tmp_path: Path) -> None:
    """Pattern 1 to 2: create(MeterConfig), answered OK, then created(MeterConfig)."""
    routes(
        tmp_path,
        MDM='MeterConfig create publish = "on-success"',
        CIS="MeterConfig created",
        OMS="MeterConfig created",
    )
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway, subscribed(amqp_url) as subscriber:
        await send_raw(amqp_url, request("create", "MeterConfig", meter("M-1")), "TESTING.REQUESTS.MeterConfig.create")
        [asked] = await take(amqp_url, "cim.MDM", 1)
        assert await subscriber.hears_no_more()
        await answer(amqp_url, reply(asked, "MeterConfig"))
        heard = await subscriber.next()
        [told] = await take(amqp_url, "cim.OMS", 1)
        [answered] = await take(amqp_url, "replies", 1)
        await idle(amqp_url, gateway)
    assert heard.routing_key == "TESTING.EVENTS.MeterConfig.created"
    for body in (heard.body, told.body):
        assert etree.fromstring(body).tag == M + "EventMessage"
        assert (said(body, "Header/Verb"), said(body, "Header/Source")) == ("created", "CIS")
        assert said(body, "Header/CorrelationID") == said(answered.body, "Header/CorrelationID") == "c-1"
        assert said(body, "Header/MessageID") not in ("m-1", None)
        assert b"<mRID>M-1</mRID>" in body
    assert (heard.headers["cim-source"], heard.headers["cim-devices"]) == ("CIS", 1)
    assert not await drain(amqp_url, ["cim.CIS", "cim.MDM", "cim.dead"])


async def test_nothing_is_told_of_what_failed(amqp_url: str, tmp_path: Path) -> None:
    routes(tmp_path, MDM='MeterConfig create publish = "on-success"', OMS="MeterConfig created")
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway, subscribed(amqp_url) as subscriber:
        await send_raw(amqp_url, request("create", "MeterConfig", meter("M-1")), "TESTING.REQUESTS.MeterConfig.create")
        [asked] = await take(amqp_url, "cim.MDM", 1)
        await answer(amqp_url, reply(asked, "MeterConfig", result="FAILED"))
        await take(amqp_url, "replies", 1)
        await idle(amqp_url, gateway)
        assert await subscriber.hears_no_more()
    assert await depth(amqp_url, "cim.OMS") == 0


async def test_an_event_of_the_gateways_own_that_nobody_wants_is_no_dead_letter(amqp_url: str, tmp_path: Path) -> None:
    routes(tmp_path, MDM='MeterConfig create publish = "on-success"')
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        await send_raw(amqp_url, request("create", "MeterConfig", meter("M-1")), "TESTING.REQUESTS.MeterConfig.create")
        [asked] = await take(amqp_url, "cim.MDM", 1)
        await answer(amqp_url, reply(asked, "MeterConfig"))
        await take(amqp_url, "replies", 1)
        await idle(amqp_url, gateway)
    assert await depth(amqp_url, "cim.dead") == 0


@pytest.mark.parametrize("whole", [True, False], ids=["handed on whole", "unrolled"])
async def test_of_a_set_the_applied_operations_are_told_in_the_past_tense(
    amqp_url: str, tmp_path: Path, *, whole: bool
) -> None:
    """Pattern 3 to 4: execute(OperationSet), then executed(OperationSet) with what was done: all, or two of three."""
    taken = "OperationSet execute" if whole else "MeterConfig create"
    routes(tmp_path, MDM=f'{taken} publish = "on-success"', CIS="OperationSet executed", OMS="OperationSet executed")
    await make_queue(amqp_url, "replies")
    flags = "<enforceTransactionalIntegrity>false</enforceTransactionalIntegrity>"
    payload = f"<OperationSet>{flags}{operation(1, 'a')}{operation(2, 'b')}{operation(3, 'c')}</OperationSet>"
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway, subscribed(amqp_url) as subscriber:
        await send_raw(amqp_url, request("execute", "OperationSet", payload), "TESTING.REQUESTS.OperationSet.execute")
        for asked in await take(amqp_url, "cim.MDM", 1 if whole else 3):
            failed = not whole and b"<mRID>b</mRID>" in asked.body
            noun = said(asked.body, "Header/Noun") or ""
            await answer(amqp_url, reply(asked, noun, result="FAILED" if failed else "OK"))
        heard = await subscriber.next()
        [told] = await take(amqp_url, "cim.OMS", 1)
        await take(amqp_url, "replies", 1)
        await idle(amqp_url, gateway)
    assert heard.routing_key == "TESTING.EVENTS.OperationSet.executed"
    done = [("1", "created"), ("2", "created"), ("3", "created")]
    for body in (heard.body, told.body):
        operations = etree.fromstring(body).findall(f"{M}Payload/{M}OperationSet/{M}Operation")
        assert [(one.findtext(M + "operationId"), one.findtext(M + "verb")) for one in operations] == (
            done if whole else [done[0], done[2]]
        )
    assert heard.headers["cim-devices"] == (3 if whole else 2)
    assert await depth(amqp_url, "cim.CIS") == 0


def control(tracking: str) -> str:
    return (
        f'<EndDeviceControls xmlns="{BASE}EndDeviceControls#"><EndDeviceControl>'
        f'<issuerTrackingID>{tracking}</issuerTrackingID><EndDeviceControlType ref="3.31.0.23"/>'
        "<EndDevices><mRID>M-1</mRID></EndDevices></EndDeviceControl></EndDeviceControls>"
    )


def consequence(tracking: str, correlation: str = "") -> bytes:
    ids = f"<CorrelationID>{correlation}</CorrelationID>" if correlation else ""
    return f"""<EventMessage xmlns="{FINAL}">
  <Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun><Source>MS</Source><MessageID>e-{tracking}</MessageID>{ids}
  </Header><Payload><EndDeviceEvents xmlns="{BASE}EndDeviceEvents#"><EndDeviceEvent>
    <createdDateTime>2026-03-01T04:12:00Z</createdDateTime><issuerTrackingID>{tracking}</issuerTrackingID>
    <EndDeviceEventType ref="3.31.0.42"/></EndDeviceEvent></EndDeviceEvents></Payload>
</EventMessage>""".encode()


async def test_an_event_with_the_tracking_id_of_a_control_carries_the_askers_correlation_id(
    amqp_url: str, tmp_path: Path
) -> None:
    """EndDeviceEvents after EndDeviceControls, tied by issuerTrackingID alone, also when all is answered already."""
    routes(tmp_path, MS="EndDeviceControls create", CIS="EndDeviceEvents created")
    key = "TESTING.EVENTS.EndDeviceEvents.created"
    await make_queue(amqp_url, "replies")
    async with (
        publishing(amqp_url, tmp_path, store=store_of(tmp_path)),
        subscribed(amqp_url) as subscriber,
    ):
        await send_raw(
            amqp_url,
            request("create", "EndDeviceControls", control("DC-1")),
            "TESTING.REQUESTS.EndDeviceControls.create",
        )
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, reply(asked, "EndDeviceControls"))
        await take(amqp_url, "replies", 1)
        seen = {}
        for name, body in (
            ("of the control", consequence("DC-1")),
            ("with an id of its own", consequence("DC-1", "own")),
            ("by the leg", consequence("DC-2", said(asked.body, "Header/CorrelationID") or "")),
            ("of another", consequence("DC-3")),
        ):
            await send_raw(amqp_url, body, key)
            [told] = await take(amqp_url, "cim.CIS", 1)
            heard = await subscriber.next()
            assert heard.body == told.body
            seen[name] = said(told.body, "Header/CorrelationID")
    assert seen == {
        "of the control": "c-1",
        "with an id of its own": "own",
        "by the leg": "c-1",
        "of another": None,
    }
