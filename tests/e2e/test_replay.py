"""A replay on a real broker: what arrives, how it is marked, and that nothing is lost or done twice."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from gateway.message import read
from gateway.replay import HEADER, PROPERTY
from gateway.store.replays.opening import open_replays
from tests.conftest import Broker
from tests.e2e.harness import PATIENCE, GatewayProcess, depth, drain, make_queue, running, store_of, take, until
from tests.e2e.replaying import (
    PERIOD,
    Replaying,
    once_in_effect,
    only_replay,
    record,
    replay,
    report,
    settings,
)
from tests.e2e.test_conversations import answer, request
from tests.e2e.traffic import Sample, key_of, parts, readings

QUEUE = "queue:replies"


def outage(context: str = "TESTING") -> Sample:
    made = parts("EndDeviceEvents", "created")
    made.context = context
    return Sample("outage", made.id, made.xml(), key_of(made).replace("TESTING", context))


async def arrived(url: str, queue: str = "replies") -> list[Arrival]:
    return (await drain(url, [queue]))[queue]


async def test_events_go_through_the_gateway_again_in_its_context_and_marked(amqp_url: str, tmp_path: Path) -> None:
    recorded, undated = outage("PRODUCTION"), outage()
    undated = replace(
        undated, body=undated.body.replace(b"<createdDateTime>2026-03-01T04:12:00Z</createdDateTime>", b"")
    )
    store = store_of(tmp_path)
    await record(store, [recorded, undated])
    async with running(amqp_url, tmp_path) as gateway:
        told = await report(gateway.environment, *PERIOD, "--target", "in")
        [arrival] = await take(amqp_url, "cim.OMS", 1)
        [refused] = await take(amqp_url, "cim.dead", 1)
        await until(lambda: _is_journaled(gateway), "the journal has it")
        again = await report(gateway.environment, "--from", "2h", "--target", "in")
    assert told["changed"] == {"mark": 2, "context": 1}
    assert str(refused.headers[HEADER]).startswith(told["id"]), "a retry is then known as of this replay"
    message = read(arrival.body)
    assert message.header.context == "TESTING"
    assert message.header.message_id == recorded.id
    assert [(one.name, one.value) for one in message.header.properties] == [(PROPERTY, told["id"])]
    assert str(arrival.headers[HEADER]).startswith(told["id"])
    assert again["left_out"] == {"replayed": 1, "dead": 1, "operator": 1}


async def _is_journaled(gateway: GatewayProcess) -> bool:
    _, out, _ = await replay(gateway.environment, "--from", "1h", "--replayed", "--target", "dry-run")
    return "1 message would be sent" in out


async def test_a_replayed_request_is_asked_again_but_once_in_one_replay(amqp_url: str, tmp_path: Path) -> None:
    body = request("m-1")
    asked = Sample("get", "m-1", body, "TESTING.REQUESTS.MeterReadings.get")
    await make_queue(amqp_url, "replies")
    store = store_of(tmp_path)
    await record(store, [asked, asked])  # a source that sent it twice: the gateway took the second for a duplicate
    async with running(amqp_url, tmp_path) as gateway:
        for _ in range(2):
            await report(gateway.environment, *PERIOD, "--target", "in")
            [leg] = await take(amqp_url, "cim.MS", 1)
            await answer(amqp_url, leg)
            [answered] = await take(amqp_url, "replies", 1)
            assert read(answered.body).header.correlation_id == read(body).header.echoed_id
        assert await depth(amqp_url, "cim.MS") == 0


async def test_a_request_without_an_id_that_a_replay_sends_twice_is_asked_once(amqp_url: str, tmp_path: Path) -> None:
    made = parts("MeterReadings", "get")
    body = made.xml().replace(f"<MessageID>{made.id}</MessageID>".encode(), b"")
    body = body.replace(f"<CorrelationID>{made.id}</CorrelationID>".encode(), b"")
    store = store_of(tmp_path)
    await record(store, [Sample("get", made.id, body, key_of(made))])
    async with running(amqp_url, tmp_path) as gateway:
        await report(gateway.environment, *PERIOD, "--target", "in")
        await take(amqp_url, "cim.MS", 1)
        await _forget_that_it_was_sent(store)
        told = await report(gateway.environment, "--resume", await only_replay(store))
        assert told["repeated"] == 1
        await until(lambda: _empty(amqp_url, "cim.in.TESTING"), "the gateway has taken it")
    assert await depth(amqp_url, "cim.MS") == 0


async def _forget_that_it_was_sent(store: str) -> None:
    """Put a replay into the state of one that was killed between the confirm and the note."""
    from gateway.player.documents import Progress, progress_from_json, progress_to_json  # noqa: PLC0415 - for this
    from gateway.store.replays import ReplayState  # noqa: PLC0415 - for this

    replays = await open_replays(store)
    [found] = await replays.find()
    reserved = progress_from_json(found.progress).reserved
    await replays.note(found.id, found.owner, 0.0, progress_to_json(Progress(reserved=reserved)), ReplayState.STOPPED)
    await replays.close()


async def _empty(url: str, queue: str) -> bool:
    return await depth(url, queue) == 0


async def test_what_is_sent_twice_reaches_the_systems_with_a_mark(amqp_url: str, tmp_path: Path) -> None:
    event = outage()
    store = store_of(tmp_path)
    await record(store, [event])
    async with running(amqp_url, tmp_path) as gateway:
        await report(gateway.environment, *PERIOD, "--target", "in")
        await _forget_that_it_was_sent(store)
        await report(gateway.environment, "--resume", await only_replay(store))
        arrivals = await take(amqp_url, "cim.OMS", 2)
    assert once_in_effect([event], arrivals) == {event.id: 2}
    assert arrivals[0].headers[HEADER] == arrivals[1].headers[HEADER]


async def test_a_system_gets_it_from_a_replay_as_from_the_gateway(amqp_url: str, tmp_path: Path) -> None:
    event, other = outage(), next(iter(readings(1)))
    store = store_of(tmp_path)
    await record(store, [event, other])
    async with running(amqp_url, tmp_path) as gateway:
        told = await report(gateway.environment, *PERIOD, "--target", "OMS", "--noun", "EndDevice*", "--ids", "new")
    [arrival] = await arrived(amqp_url, "cim.OMS")
    assert told["sent"] == 1
    assert arrival.type == "created.EndDeviceEvents"
    assert arrival.correlation_id == read(arrival.body).header.message_id != event.id


async def test_a_route_takes_what_it_matches_alone(amqp_url: str, tmp_path: Path) -> None:
    quiet = parts("EndDeviceEvents", "created", event="3.12.0.257")
    store = store_of(tmp_path)
    await record(store, [outage(), Sample("quiet", quiet.id, quiet.xml(), key_of(quiet))])
    gateway = GatewayProcess(amqp_url, tmp_path)
    file = tmp_path / "routes" / "oms.toml"
    file.write_text(file.read_text().replace("[[route]]", '[[route]]\nname = "outages"'))
    await gateway.start()
    assert await gateway.stop() == 0
    told = await report(gateway.environment, *PERIOD, "--target", "route:outages")
    assert (told["sent"], told["left_out"]) == (1, {"no_route": 1})
    assert await depth(amqp_url, "cim.OMS") == 1


async def test_without_a_fault_each_comes_once_in_order_and_unmarked(amqp_url: str, sqlite_url: str) -> None:
    samples = list(readings(300))
    await make_queue(amqp_url, "replies")
    await record(sqlite_url, samples, spacing=0.002)
    told = await report(settings(amqp_url, sqlite_url), *PERIOD, "--target", QUEUE)
    arrivals = await arrived(amqp_url)
    assert [arrival.headers["cim-message-id"] for arrival in arrivals] == [sample.id for sample in samples]
    assert not any("cim-redelivered" in arrival.headers for arrival in arrivals)
    assert (told["sent"], told["repeated"], told["runs"], told["state"]) == (300, 0, 1, "done")


async def test_kills_lose_nothing_and_repeat_nothing_unmarked(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    from_file = store_url.startswith("postgres")  # the journal with the one, a file with the other
    kills = 1 if from_file else 2  # three of them, in a hundred thousand: benchmarks/replay.py
    samples = list(readings(1_000))
    await make_queue(amqp_url, "replies")
    await record(store_url, samples, spacing=0.001)
    environment = settings(amqp_url, store_url)
    where: tuple[str, ...] = PERIOD
    if from_file:
        file = tmp_path / "day.cimlog"
        status, _, err = await replay(environment, *PERIOD, "--target", str(file), "--yes")
        assert status == 0, err
        where = ("--file", str(file))
    running_ = await Replaying(environment, (*where, "--target", QUEUE, "--yes", "--rate", "1500/s")).start()
    for kill in range(kills):
        await until(lambda wanted=200 + kill * 400: _at_least(amqp_url, wanted), "some have arrived")  # type: ignore[misc]
        await running_.kill()
        id_ = await _latest(store_url)
        running_ = await Replaying(environment, ("--resume", id_, "--rate", "1500/s", "--json")).start()
    status, out, err = await running_.ended()
    assert status == 0, err
    once_in_effect(samples, await arrived(amqp_url))
    assert f'"runs": {kills + 1}' in out


async def _at_least(url: str, count: int) -> bool:
    return await depth(url, "replies") >= count


async def _latest(store: str) -> str:
    replays = await open_replays(store)
    found = await replays.find()
    await replays.close()
    return found[0].id


async def test_a_stop_ends_between_two_messages_and_nothing_comes_twice(amqp_url: str, sqlite_url: str) -> None:
    samples = list(readings(60))
    await make_queue(amqp_url, "replies")
    await record(sqlite_url, samples, spacing=0.05)
    environment = settings(amqp_url, sqlite_url)
    replaying = await Replaying(environment, (*PERIOD, "--target", QUEUE)).start()
    await until(lambda: _at_least(amqp_url, 5), "some have arrived")
    assert replaying.process is not None
    replaying.process.send_signal(signal.SIGTERM)
    status, out, err = await replaying.ended()
    assert status == 1, err
    assert "has stopped" in out
    id_ = await only_replay(sqlite_url)
    assert f"cimgate replay --resume {id_}" in out
    told = await report(environment, "--resume", id_, "--speed", "max")
    assert (told["sent"], told["repeated"], told["state"]) == (60, 0, "done")
    arrivals = await arrived(amqp_url)
    assert [arrival.headers["cim-message-id"] for arrival in arrivals] == [sample.id for sample in samples]
    status, _, err = await replay(environment, "--resume", id_)
    assert status == 1
    assert "is done" in err


async def test_a_run_whose_replay_is_taken_over_sends_no_more(amqp_url: str, sqlite_url: str) -> None:
    samples = list(readings(100))
    await make_queue(amqp_url, "replies")
    await record(sqlite_url, samples, spacing=0.1)
    environment = settings(amqp_url, sqlite_url)
    first = await Replaying(environment, (*PERIOD, "--target", QUEUE)).start()
    await until(lambda: _at_least(amqp_url, 3), "some have arrived")
    told = await report(environment, "--resume", await only_replay(sqlite_url), "--speed", "max")
    status, _, err = await first.ended()
    assert status == 1
    assert "Another run goes on" in err
    assert told["sent"] == 100
    once_in_effect(samples, await arrived(amqp_url))


async def test_a_broker_that_goes_away_is_waited_for(amqp_url: str, sqlite_url: str, broker: Broker) -> None:
    samples = list(readings(300))
    await make_queue(amqp_url, "replies")
    await record(sqlite_url, samples, spacing=0.01)
    replaying = await Replaying(settings(amqp_url, sqlite_url), (*PERIOD, "--target", QUEUE)).start()
    await until(lambda: _at_least(amqp_url, 50), "some have arrived")
    await broker.close_connections()
    status, _, err = await replaying.ended()
    assert status == 0, err
    assert "Trying again" in err
    once_in_effect(samples, await arrived(amqp_url))


async def test_a_queue_at_its_limit_is_waited_for(amqp_url: str, sqlite_url: str) -> None:
    samples = list(readings(1_200))
    await make_queue(amqp_url, "replies", {"x-max-length": 20, "x-overflow": "reject-publish"})
    await record(sqlite_url, samples)
    replaying = await Replaying(settings(amqp_url, sqlite_url), (*PERIOD, "--target", QUEUE, "--yes")).start()
    await _told(replaying, b"refused the message for queue:replies (a queue at its limit")
    async with await Partner.open(Access(amqp_url, "receiver")) as partner:
        await partner.watch("replies")
        status, _, err = await replaying.ended()
        assert status == 0, err
        seen: set[str] = set()
        while len(seen) < len(samples):
            arrival = await asyncio.wait_for(partner.arrivals.get(), 60)
            seen.add(str(arrival.headers["cim-message-id"]))
    assert seen == {sample.id for sample in samples}


async def _told(replaying: Replaying, words: bytes) -> None:
    """Wait until the command says something."""
    assert replaying.process is not None
    assert replaying.process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        while words not in (line := await replaying.process.stderr.readline()):
            assert line, "it ended without a word of it"


async def test_a_place_that_is_not_there_is_told_before_anything_is_sent(amqp_url: str, sqlite_url: str) -> None:
    await record(sqlite_url, [outage()])
    for target in ("queue:nobody", "in"):
        status, out, err = await replay(settings(amqp_url, sqlite_url), *PERIOD, "--target", target)
        assert (status, out) == (3, ""), err
        assert "The broker has no" in err


async def test_a_topic_that_nobody_reads_is_reported(amqp_url: str, tmp_path: Path) -> None:
    store = store_of(tmp_path)
    await record(store, [outage()])
    async with running(amqp_url, tmp_path) as gateway:
        status, out, _ = await replay(gateway.environment, *PERIOD, "--target", "topic:nobody.reads.this")
    assert status == 1
    assert "1: reached no queue" in out
    assert "nobody.reads.this" in out


async def test_unreadable_dead_letters_can_be_sent_as_they_were(amqp_url: str, sqlite_url: str) -> None:
    await make_queue(amqp_url, "replies")
    torn = Sample("torn", "torn", b"<EventMessage", "TESTING.EVENTS.EndDeviceEvents.created")
    await record(sqlite_url, [torn], outcome="dead:unreadable")
    environment = settings(amqp_url, sqlite_url)
    status, _, err = await replay(environment, *PERIOD, "--target", QUEUE)
    assert status == 1
    assert "--dead" in err
    told = await report(environment, *PERIOD, "--target", QUEUE, "--dead")
    assert told["changed"] == {"none": 1}
    [arrival] = await arrived(amqp_url)
    assert arrival.body == torn.body
    assert str(arrival.headers[HEADER]).startswith(told["id"])
