"""Nothing lost, nothing invented: valid traffic reaches exactly its systems, the rest the dead letters."""

from collections import Counter
from pathlib import Path

import pytest

from gateway.message import MessageKind, read
from gateway.message.parts import reply_of
from tests.conftest import Broker
from tests.e2e.harness import SYSTEMS, GatewayProcess, account, depth, drain, make_queue, running, send_all, until
from tests.e2e.traffic import DRAFT, EVENTS, PAYLOADS, REQUESTS, readings, traffic

ALL_QUEUES = (*SYSTEMS, "cim.dead", "cim.in.TESTING", "cim.in.unbound")


def test_the_generated_traffic_covers_what_it_should() -> None:
    samples = traffic(1)
    good, bad = [s for s in samples if s.to], [s for s in samples if s.dead]
    assert len(samples) >= 200
    assert len(good) + len(bad) == len(samples)
    assert len(PAYLOADS) == 5
    for noun in PAYLOADS:
        for verb in (*REQUESTS, *EVENTS):
            assert {DRAFT.encode() in s.body for s in good if s.name.startswith(f"{verb}({noun})")} == {True, False}


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_generated_message_ends_in_exactly_its_places(amqp_url: str, tmp_path: Path, seed: int) -> None:
    samples = traffic(seed)
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path) as gateway:
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    taken = await drain(amqp_url, ALL_QUEUES)
    account(samples, taken)
    assert gateway.events("stopped")[0]["taken"] == len(samples)
    assert not gateway.events("internal error")


async def test_every_refused_request_is_answered_and_nothing_else(amqp_url: str, tmp_path: Path) -> None:
    samples = traffic(3)
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        await send_all(amqp_url, samples)
        await until(lambda: _empty(amqp_url), "the intake is empty")
    replies = (await drain(amqp_url, ["replies"]))["replies"]
    answered: Counter[str] = Counter()
    faults = 0
    for arrival in replies:
        message = read(arrival.body)
        if message.kind is MessageKind.FAULT:
            faults += 1
            assert arrival.headers["code"]
            continue
        reply = reply_of(message)
        assert reply is not None
        assert reply.result == "FAILED"
        assert message.header.correlation_id == arrival.correlation_id
        answered[arrival.correlation_id] += 1
    expected = {s.id: s for s in samples if s.reply}
    in_draft = {s.id for s in samples if s.reply and "unknown noun" in s.name and DRAFT.encode() in s.body}
    unreadable = sum(s.name.startswith("not well-formed") for s in samples)
    assert set(answered) == set(expected) - in_draft
    assert set(answered.values()) == {1}
    assert faults == len(in_draft) + unreadable


async def test_a_broker_restart_in_the_middle_loses_nothing(broker: Broker, amqp_url: str, tmp_path: Path) -> None:
    samples = [*traffic(4), *readings(1_500)]
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        pass  # declares the topology and leaves
    await send_all(amqp_url, samples)
    async with running(amqp_url, tmp_path, prefetch="50", batch="10") as gateway:
        await until(lambda: _at_least(amqp_url, "cim.MDM", 200), "some have been delivered")
        await broker.restart()
        await until(lambda: bool(gateway.events("session lost")), "the gateway noticed")
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, ALL_QUEUES), repeats=True)


async def test_sigkill_in_the_middle_of_5000_messages_loses_none(amqp_url: str, tmp_path: Path) -> None:
    samples = list(readings(5_000))
    gateway = GatewayProcess(amqp_url, tmp_path)
    await gateway.start()
    assert await gateway.stop() == 0
    await send_all(amqp_url, samples)
    for mark in (500, 2_000):
        await gateway.start()
        await until(lambda mark=mark: _at_least(amqp_url, "cim.MDM", mark), f"{mark} have been delivered")  # type: ignore[misc]
        await gateway.kill()
    assert await depth(amqp_url, "cim.in.TESTING") > 0, "killed too late to show anything"
    async with running(amqp_url, tmp_path):
        await until(lambda: _empty(amqp_url), "the intake is empty")
    account(samples, await drain(amqp_url, ALL_QUEUES), repeats=True)


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


async def _at_least(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) >= count
