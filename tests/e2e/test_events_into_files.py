"""Events of subscriptions in files: none is lost, and none is there twice without the mark, whatever is killed."""

import asyncio
import contextlib
import json
from pathlib import Path

from gateway.traffic import Damaged, NotTraffic, Reader
from tests.e2e.harness import running, until
from tests.e2e.subscribing import POWER, create, event, send, subscriptions
from tests.e2e.traffic import Parts


def lines(path: Path) -> list[tuple[str, bool]]:
    """The MessageIDs in a file of lines, and whether each is marked as repeated; a half line is none."""
    whole = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    return [(document["message_id"], document.get("repeated", False)) for document in map(json.loads, whole)]


def complete(path: Path, sent: list[Parts]) -> bool:
    return {id_ for id_, _ in lines(path)} == {made.id for made in sent}


async def test_a_gateway_that_is_killed_behind_a_write_writes_it_again_and_marks_it(
    amqp_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    sent = [event(POWER) for _ in range(3)]
    async with running(amqp_url, tmp_path) as gateway:
        await create(gateway, "kept", "--file", str(path))
    gateway.environment["CIMGATE_CRASH"] = "event-written:1"
    await gateway.start()
    await send(amqp_url, sent[0])
    assert gateway.process is not None
    await asyncio.wait_for(gateway.process.wait(), 60)
    with path.open("a") as file:
        file.write('{"half":')
    async with running(amqp_url, tmp_path) as gateway:
        await send(amqp_url, *sent[1:])
        await until(lambda: complete(path, sent), "all are in the file")

        async def counted() -> bool:
            document = json.loads((await subscriptions(gateway, "lag", "--json")).output)
            return bool(document.get("delivered", 0) >= 3)

        await until(counted, "what was delivered is counted")
    told = lines(path)
    again = [repeated for id_, repeated in told if id_ == sent[0].id]
    assert again[0] is False
    assert again[1:]
    assert all(again[1:])
    assert [id_ for id_, _ in told if id_ != sent[0].id] == [made.id for made in sent[1:]]


def packed(log: Path, sent: list[Parts]) -> bool:
    if not log.exists():
        return False
    with log.open("rb") as file, contextlib.suppress(NotTraffic, Damaged):  # it is being written
        return {record.message_id for record in Reader(file).records()} == {made.id for made in sent}
    return False


async def test_of_two_gateways_one_writes_and_the_other_takes_over_when_it_is_killed(
    amqp_url: str, tmp_path: Path
) -> None:
    path, log = tmp_path / "events.jsonl", tmp_path / "events.cimlog"
    sent = [event(POWER) for _ in range(60)]
    async with running(amqp_url, tmp_path) as first, running(amqp_url, tmp_path / "b") as stranger:
        await stranger.stop()
        async with running(amqp_url, tmp_path / "b", store=first.environment["CIMGATE_STORE"]):
            assert "2 gateways" in await create(first, "mine", "--device", "M-1", "--file", str(path))
            await create(first, "packed", "--file", str(log))
            await send(amqp_url, *sent[:30])
            await until(lambda: len(lines(path)) > 0, "something is written")
            await first.kill()
            await send(amqp_url, *sent[30:])
            await until(lambda: complete(path, sent), "all are in the file")
            await until(lambda: packed(log, sent), "all are in the other file")
        await first.start()
    unmarked = [id_ for id_, repeated in lines(path) if not repeated]
    assert len(unmarked) == len(set(unmarked))


async def test_a_file_that_cannot_be_written_is_told_and_its_events_wait(amqp_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "away"
    async with running(amqp_url, tmp_path) as gateway:
        await create(gateway, "kept", "--file", str(folder / "events.jsonl"))
        await send(amqp_url, made := event(POWER))

        async def told() -> bool:
            said = await subscriptions(gateway, "lag", "--json")
            document = json.loads(said.output)
            return "No such file" in document.get("trouble", "") and document["waiting"] == 1

        await until(told, "the trouble is told")
        folder.mkdir()
        await until(lambda: lines(folder / "events.jsonl") == [(made.id, False)], "it is written when it can be")
