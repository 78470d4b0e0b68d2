"""Two gateway processes on one store, a store that goes away and comes back, and conversations that nobody can read."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.store import Search
from gateway.store.opening import open_store
from tests.conftest import Broker
from tests.databases import Database
from tests.e2e.harness import PATIENCE, GatewayProcess, depth, drain, make_queue, running, take, until
from tests.e2e.test_conversations import KEY, answer, reply, request, said, send

MANY = 200


@asynccontextmanager
async def answering(url: str) -> AsyncIterator[None]:
    """A system that answers each request at once."""

    async def serve() -> None:
        async with await Partner.open(Access(url, "MS")) as partner:
            await partner.watch("cim.MS")
            for number in range(1_000_000):
                asked = await partner.arrivals.get()
                said_by = reply(said(asked, "Header/CorrelationID") or "", message_id=f"r-{number}")
                await partner.send_to_queue(said_by, "cim.in.TESTING")

    task = asyncio.create_task(serve())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(url: str, numbers: range) -> None:
    async with await Partner.open(Access(url, "CIS")) as partner:
        await asyncio.gather(
            *(partner.send(request(f"m-{number}", correlation=f"c-{number}"), KEY) for number in numbers)
        )


async def answers(url: str, count: int) -> Counter[str]:
    """How often each asker was answered, once so many answers have arrived."""
    return Counter(said(arrival, "Header/CorrelationID") or "" for arrival in await take(url, "replies", count))


async def settled(store_url: str, count: int) -> None:
    store = await open_store(store_url)

    async def all_final() -> bool:
        async with store.look() as reader:
            found = await reader.search(Search(), limit=2 * count)
        return len(found) == count and all(one.final for one in found)

    try:
        await until(all_final, "all conversations have ended and are confirmed")
    finally:
        await store.close()


async def test_of_two_processes_each_takes_replies_of_the_other_and_each_asker_hears_once(
    amqp_url: str, tmp_path: Path, postgres_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with (
        running(amqp_url, tmp_path / "one", store=postgres_url) as one,
        running(amqp_url, tmp_path / "two", store=postgres_url) as two,
        answering(amqp_url),
    ):
        await ask(amqp_url, range(MANY))
        answered = await answers(amqp_url, MANY)
        await settled(postgres_url, MANY)
        assert await depth(amqp_url, "replies") == await depth(amqp_url, "cim.dead") == 0
    assert answered == Counter(f"c-{number}" for number in range(MANY))
    for gateway in (one, two):
        assert gateway.events("stopped")[0]["taken"] > MANY / 4
        assert not gateway.events("store not available, intake pauses")


async def test_a_reply_finds_its_asker_through_a_process_that_never_saw_the_request(
    amqp_url: str, tmp_path: Path, postgres_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path / "one", store=postgres_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
    async with running(amqp_url, tmp_path / "two", store=postgres_url):
        await answer(amqp_url, asked)
        [answered] = await take(amqp_url, "replies", 1)
    assert said(answered, "Header/CorrelationID") == "c-1"


async def test_while_the_store_is_away_nothing_is_acknowledged_and_afterwards_it_goes_on(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path, postgres_url: str, database: Database
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=postgres_url) as gateway:
        async with answering(amqp_url):
            await ask(amqp_url, range(20))
            before = await answers(amqp_url, 20)
            await settled(postgres_url, 20)
        await database.private.pause()
        try:
            await ask(amqp_url, range(20, 40))
            await until(lambda: _told(gateway, "cannot be reached", "is it running?"), "it says why")
            await until(lambda: _all_taken(amqp_url), "it has all in hand")
            await until(lambda: _unacknowledged(broker, vhost, 20), "none of them is acknowledged")
            assert await depth(amqp_url, "cim.MS") == await depth(amqp_url, "cim.dead") == 0
        finally:
            await database.private.resume()
        async with answering(amqp_url):
            after = await answers(amqp_url, 20)
            await settled(postgres_url, 40)
        assert await depth(amqp_url, "replies") == await depth(amqp_url, "cim.dead") == 0
    assert before + after == Counter(f"c-{number}" for number in range(40))
    assert gateway.events("store takes conversations again")


async def test_a_request_that_no_queue_takes_is_answered_at_once(
    broker: Broker, amqp_url: str, vhost: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url, request_timeout="3600", resend_after="3600"):
        await broker.ctl("delete_queue", "--vhost", vhost, "cim.MS")
        await send(amqp_url, request())
        [answered] = await take(amqp_url, "replies", 1)
    assert (said(answered, "Reply/Result"), said(answered, "Header/CorrelationID")) == ("FAILED", "c-1")


async def test_a_conversation_that_cannot_be_read_harms_no_other(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url) as gateway:
        for name in ("spoilt", "good"):
            await send(amqp_url, request(name, correlation=name))
        asked = await take(amqp_url, "cim.MS", 2)
        spoilt = await _of_another_version(store_url, gateway)
        async with await Partner.open(Access(amqp_url, "MS")) as partner:
            replies = [reply(said(one, "Header/CorrelationID") or "", message_id=one.correlation_id) for one in asked]
            await asyncio.gather(*(partner.send_to_queue(body, "cim.in.TESTING") for body in replies))
        [answered] = await take(amqp_url, "replies", 1)
        assert said(answered, "Header/CorrelationID") == "good"
        await send(amqp_url, request("late", option="<Option><name>timeout</name><value>0.2</value></Option>"))
        [expired] = await take(amqp_url, "replies", 1)
        assert said(expired, "Reply/Error/code") == "4.1"
        await until(lambda: _holds(amqp_url, "cim.dead", 1), "the reply to the other is kept")
    [letter] = (await drain(amqp_url, ["cim.dead"]))["cim.dead"]
    assert (letter.headers["reason"], "version 99" in str(letter.headers["text"])) == ("internal-error", True)
    told = gateway.events("conversation cannot be worked on, it is left as it is")
    assert [line["conversation"] for line in told] == [spoilt]


async def _of_another_version(store_url: str, gateway: GatewayProcess) -> str:
    """Make a conversation one that a later release has written, and due; wait until the gateway has seen it."""
    store = await open_store(store_url)
    try:
        while True:
            async with store.begin() as unit:
                [found] = (await unit.requests([("CIS", "spoilt")])).values()
                other = replace(found, document='{"version": 99}', deadline=1.0)
                if not await unit.update([other]):
                    break
    finally:
        await store.close()
    await until(
        lambda: bool(gateway.events("conversation cannot be worked on, it is left as it is")), "the timer met it",
        PATIENCE,
    )  # fmt: skip
    return found.id


def _told(gateway: GatewayProcess, *words: str) -> bool:
    """Whether the gateway has said why it waits, in these words."""
    reasons = [str(line["reason"]) for line in gateway.events("store not available, intake pauses")]
    return any(all(word in reason for word in words) for reason in reasons)


async def _all_taken(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0


async def _unacknowledged(broker: Broker, vhost: str, count: int) -> bool:
    """Whether so many are out and not acknowledged; the broker counts them every few seconds only."""
    lines = await broker.ctl("list_queues", "--vhost", vhost, "name", "messages_unacknowledged")
    return f"cim.in.TESTING\t{count}" in lines.splitlines()


async def _holds(url: str, queue: str, count: int) -> bool:
    return await depth(url, queue) >= count
