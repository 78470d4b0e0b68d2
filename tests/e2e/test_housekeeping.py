"""Conversations that have ended long ago are removed; those that still wait, however old, stay."""

from pathlib import Path

from gateway.store import Search
from gateway.store.opening import open_store
from tests.e2e.harness import make_queue, running, take, until
from tests.e2e.test_conversations import answer, request, said, send


async def test_what_has_ended_long_ago_goes_and_what_waits_stays(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        for number in (1, 2):
            await send(amqp_url, request(f"m-{number}", correlation=f"c-{number}"))
        first, second = await take(amqp_url, "cim.MS", 2)
        await answer(amqp_url, first)
        await take(amqp_url, "replies", 1)
    store = await open_store(store_url)

    async def kept() -> list[str | None]:
        async with store.look() as reader:
            return [one.message_id for one in await reader.search(Search())]

    async def one_left() -> bool:
        return len(await kept()) == 1

    try:
        assert sorted(map(str, await kept())) == ["m-1", "m-2"]
        async with running(amqp_url, tmp_path, store=store_url, keep_conversations="1e-9") as gateway:
            await until(one_left, "what has ended is removed")
            await until(lambda: bool(gateway.events("old ones removed")), "it is said")
            await answer(amqp_url, second)
            [answered] = await take(amqp_url, "replies", 1)
    finally:
        await store.close()
    assert said(answered, "Header/CorrelationID") == "c-2"
    assert gateway.events("old ones removed")[0]["number"] == 1
