"""What the journal of a real gateway says: every message that passed, what became of it, and nothing else."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.cli import app
from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.store.journal.opening import journal_file, open_journal
from gateway.traffic import Reader
from tests.conftest import Broker
from tests.databases import Database
from tests.e2e.harness import GatewayProcess, depth, drain, make_queue, running, send_all, store_of, take, until
from tests.e2e.test_conversations import FINAL, answer, request, send
from tests.e2e.traffic import ROUTES, parts, readings, traffic

EVENTS = "TESTING.EVENTS.CustomerConfig.created"
QUEUES = ("cim.MDM", "cim.CIS", "cim.OMS", "cim.MS", "cim.dead", "replies", "cim.in.TESTING")


@asynccontextmanager
async def journal_of(url: str) -> AsyncIterator[Journal]:
    journal = await open_journal(url)
    try:
        yield journal
    finally:
        await journal.close()


async def everything(url: str) -> list[Passage]:
    async with journal_of(url) as journal:
        return [passage async for passage in journal.walk(JournalSearch())]


async def test_every_message_has_one_passage_that_says_what_became_of_it(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    samples = traffic(5)
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    passages = await everything(store_url)
    came = {passage.body: passage for passage in passages if passage.direction == "in"}
    assert len([passage for passage in passages if passage.direction == "in"]) == len(samples)
    assert set(came) == {sample.body for sample in samples}
    for sample in samples:
        passage = came[sample.body]
        if sample.dead:
            assert (passage.outcome.partition(":")[0], passage.code) == ("dead", sample.dead), sample.name
            assert passage.reason
        elif passage.kind == "RequestMessage":
            assert passage.outcome == "conversation"
            assert passage.conversation
        else:
            assert passage.outcome == "delivered"
            assert {handover.system for handover in passage.deliveries} - {""} == sample.to
            assert all(handover.seconds is not None for handover in passage.deliveries)
        assert passage.seconds is not None
    made = Counter(passage.outcome for passage in passages if passage.direction == "out")
    assert set(made) == {"sent"}


async def test_a_conversation_is_found_with_all_that_was_said_in_it(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        [answered] = await take(amqp_url, "replies", 1)
        await send(amqp_url, request())
        await take(amqp_url, "replies", 1)
    async with journal_of(store_url) as journal:
        [first, again] = await journal.find(JournalSearch(message_id="m-1"), oldest_first=True)
        said = await journal.find(JournalSearch(conversation=first.conversation), oldest_first=True)
        bodies = await journal.bodies([passage.id for passage in said])
    assert (first.outcome, again.outcome) == ("conversation", "duplicate")
    told = [(one.direction, one.verb, one.system, one.outcome) for one in said if one.id != again.id]
    assert told[:4] == [
        ("in", "get", "", "conversation"),
        ("out", "get", "MS", "sent"),
        ("in", "reply", "", "conversation"),
        ("out", "reply", "", "sent"),
    ]
    assert asked.body in bodies.values()
    assert answered.body in bodies.values()


async def test_a_message_is_found_by_its_device_and_by_its_event(amqp_url: str, tmp_path: Path) -> None:
    made = parts("EndDeviceEvents", "created")
    asset = "<Assets><mRID>M-77</mRID><Names><name>Meter 77</name></Names></Assets>"
    made.payload = made.payload.replace("<EndDeviceEventType", f"{asset}<EndDeviceEventType")
    async with running(amqp_url, tmp_path):
        await send(amqp_url, made.xml(), "TESTING.EVENTS.EndDeviceEvents.created")
        await take(amqp_url, "cim.OMS", 1)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    async with journal_of(store_of(tmp_path)) as journal:
        for search in (JournalSearch(device="M-77"), JournalSearch(device="Meter 77"), JournalSearch(event="3.26.*")):
            [found] = await journal.find(search)
            assert found.message_id == made.id


@pytest.mark.parametrize("mode", ["headers", "off"])
async def test_a_route_can_keep_less_but_a_dead_letter_is_always_kept(amqp_url: str, tmp_path: Path, mode: str) -> None:
    good = next(iter(readings(1)))
    bad = parts("MeterReadings", "created")
    bad.context = "PRODUCTION"
    folder = tmp_path / "routes"
    folder.mkdir()
    (folder / "mdm.toml").write_text(ROUTES["mdm.toml"] + f'journal = "{mode}"\n')
    async with running(amqp_url, tmp_path):
        await send(amqp_url, good.body, good.key)
        await send(amqp_url, bad.xml(), good.key)
        await take(amqp_url, "cim.MDM", 1)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    passages = {passage.message_id: passage for passage in await everything(store_of(tmp_path))}
    assert passages[bad.id].body == bad.xml()
    if mode == "off":
        assert set(passages) == {bad.id}
    else:
        assert passages[good.id].body is None
        assert passages[good.id].size == len(good.body)


async def test_what_no_queue_takes_and_what_nobody_wants_ends_as_dead(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    folder = tmp_path / "routes"
    folder.mkdir()
    (folder / "mdm.toml").write_text(ROUTES["mdm.toml"].replace('noun = "*"', 'noun = "MeterReadings"'))
    lost, unwanted = parts("MeterReadings", "created"), parts("MeterReadSchedule", "created")
    async with running(amqp_url, tmp_path):
        await broker.ctl("delete_queue", "--vhost", vhost, "cim.MDM")
        for made in (lost, unwanted):
            await send(amqp_url, made.xml(), f"TESTING.EVENTS.{made.noun}.created")
        await take(amqp_url, "cim.dead", 2)
    came = {passage.message_id: passage for passage in await everything(store_of(tmp_path))}
    assert (came[lost.id].outcome, came[lost.id].rule) == ("dead:undeliverable", "no-queue")
    assert (came[unwanted.id].outcome, came[unwanted.id].rule) == ("dead:unroutable", "no-route")
    assert came[lost.id].reason
    assert came[lost.id].deliveries[0].seconds is None


MARKER = "Wilhelmine-Personal-Name"
MASKS = """
[masks]
CustomerConfig = ["//Customer//name"]
"""


def customer(name: str, *, broken: bool = False, tail: str = "") -> bytes:
    wrong = "<nonsense>x</nonsense>" if broken else ""
    return f"""<EventMessage xmlns="{FINAL}">
  <Header><Verb>created</Verb><Noun>CustomerConfig</Noun><Source>CIS</Source><MessageID>m-{tail}</MessageID></Header>
  <Payload><CustomerConfig xmlns="http://iec.ch/TC57/2011/CustomerConfig#">
    <Customer><mRID>C-1</mRID><Names><name>{name}</name></Names>{wrong}</Customer></CustomerConfig></Payload>
</EventMessage>""".encode()


def exported_by(gateway: GatewayProcess, file: Path) -> bytes:
    """What `cimgate journal export` writes, and what anybody can read of it."""
    environment = {name: value for name, value in gateway.environment.items() if name.startswith("CIMGATE_")}
    done = CliRunner().invoke(app, ["journal", "export", str(file)], env=environment)
    assert done.exit_code == 0, done.output
    if file.suffix != ".cimlog":
        return file.read_bytes()
    with file.open("rb") as stream:
        return repr(list(Reader(stream).records())).encode()


async def test_a_masked_value_reaches_its_system_and_is_kept_nowhere(amqp_url: str, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(MASKS)
    async with running(amqp_url, tmp_path, config=str(site)) as gateway:
        for number, broken in enumerate((False, True)):
            await send(amqp_url, customer(MARKER, broken=broken, tail=str(number)), EVENTS)
        await send(amqp_url, customer(MARKER, tail="2")[:-20], EVENTS)  # not well-formed
        [delivered] = await take(amqp_url, "cim.MDM", 1)
        dead = await take(amqp_url, "cim.dead", 2)
        other = parts("MeterReadings", "created")
        other.context = "PRODUCTION"
        await send(amqp_url, other.xml(), "TESTING.EVENTS.MeterReadings.created")
        [unmasked] = await take(amqp_url, "cim.dead", 1)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    assert MARKER.encode() in delivered.body
    passages = await everything(store_of(tmp_path))
    assert [passage.verdict for passage in passages] == ["ok", "refused", "unreadable", "refused"]
    assert unmasked.body == other.xml()
    assert "masked" not in unmasked.headers
    kept = [repr(passage) for passage in passages] + [repr(letter) for letter in dead] + [gateway.log()]
    assert not [text for text in kept if MARKER in text]
    for name in ("all.cimlog", "all.jsonl", "all.xml"):
        exported = await asyncio.to_thread(exported_by, gateway, tmp_path / name)
        assert b"MeterReadings" in exported, "it is there, and can be read"
        assert MARKER.encode() not in exported
    for file in tmp_path.glob("*.db*"):  # noqa: ASYNC240 - nothing else runs
        assert MARKER.encode() not in file.read_bytes()
    assert all(letter.headers["masked"] is True for letter in dead)


async def test_while_the_journal_is_locked_nothing_is_acknowledged_and_then_it_goes_on(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path
) -> None:
    samples = list(readings(30))
    store = store_of(tmp_path)
    file = journal_file(Path(store.removeprefix("sqlite:///")))
    async with running(amqp_url, tmp_path) as gateway:
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        await send_all(amqp_url, samples)
        await until(lambda: bool(gateway.events("journal not available, intake pauses")), "it says why")
        await until(lambda: _unacknowledged(broker, vhost, len(samples)), "none is acknowledged")
        assert gateway.events("journal not available, intake pauses")[0]["reason"]
        lock.execute("ROLLBACK")
        lock.close()
        await until(lambda: bool(gateway.events("journal takes messages again")), "it goes on")
        await until(lambda: _empty(amqp_url), "the intake is empty")
        await until(lambda: _unacknowledged(broker, vhost, 0), "all are acknowledged")
    came = Counter(passage.message_id for passage in await everything(store))
    assert came == Counter(sample.id for sample in samples)


async def test_while_the_database_of_the_journal_restarts_nothing_is_lost(
    amqp_url: str, tmp_path: Path, postgres_url: str, database: Database
) -> None:
    before, after = list(readings(50)), list(readings(50))
    async with running(amqp_url, tmp_path, store=postgres_url) as gateway:
        await send_all(amqp_url, before)
        await until(lambda: _empty(amqp_url), "the intake is empty")
        await database.private.pause()
        try:
            await send_all(amqp_url, after)
            await until(lambda: bool(gateway.events("journal not available, intake pauses")), "it says why")
        finally:
            await database.private.resume()
        await until(lambda: bool(gateway.events("journal takes messages again")), "it goes on")
        await until(lambda: _count(amqp_url, "cim.MDM", 100), "all have arrived")
    came = Counter(passage.message_id for passage in await everything(postgres_url))
    assert came == Counter(sample.id for sample in (*before, *after))


@pytest.mark.parametrize("point", ["journal", "journaled"])
async def test_a_kill_around_the_write_loses_nothing_and_each_copy_is_marked(
    amqp_url: str, tmp_path: Path, point: str
) -> None:
    samples = list(readings(20))
    gateway = GatewayProcess(amqp_url, tmp_path, crash=f"{point}:1")
    async with running(amqp_url, tmp_path):
        pass  # declares the topology and leaves
    await gateway.start()
    async with await Partner.open(Access(amqp_url, "sender")) as partner:
        await asyncio.gather(*(partner.send(sample.body, sample.key) for sample in samples))
    assert gateway.process is not None
    await asyncio.wait_for(gateway.process.wait(), 60)
    async with running(amqp_url, tmp_path):
        await until(lambda: _empty(amqp_url), "the intake is empty")
    taken = await drain(amqp_url, QUEUES)
    assert {arrival.body for arrival in taken["cim.MDM"]} == {sample.body for sample in samples}
    passages = await everything(store_of(tmp_path))
    firsts = Counter(passage.message_id for passage in passages if not passage.redelivered)
    assert {passage.message_id for passage in passages} == {sample.id for sample in samples}
    assert all(count == 1 for count in firsts.values())


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


async def _count(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) == count


async def _unacknowledged(broker: Broker, vhost: str, count: int) -> bool:
    """Whether so many are out and not acknowledged; the broker counts them every few seconds only."""
    lines = await broker.ctl("list_queues", "--vhost", vhost, "name", "messages_unacknowledged")
    return f"cim.in.TESTING\t{count}" in lines.splitlines()
