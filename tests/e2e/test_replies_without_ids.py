"""Replies of systems that echo no id: matched where one request alone waits, and only for sources that may do so."""

import asyncio
from pathlib import Path

import pytest

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from tests.e2e.harness import GatewayProcess, depth, make_queue, running, take, until
from tests.e2e.test_conversations import answer, reply, request, said, send

SITE = """
[[sources]]
name = "MS"
replies_without_ids = true
"""
NAMELESS = reply("").replace(b"<CorrelationID></CorrelationID>", b"")


def site(folder: Path) -> dict[str, str]:
    file = folder / "site.toml"
    file.write_text(SITE)
    return {"config": str(file)}


async def respond(url: str, body: bytes) -> None:
    async with await Partner.open(Access(url, "MS")) as partner:
        await partner.send_to_queue(body, "cim.in.TESTING")


async def test_the_only_request_that_waits_is_answered(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url, **site(tmp_path)):
        await send(amqp_url, request())
        await take(amqp_url, "cim.MS", 1)
        await respond(amqp_url, NAMELESS)
        [answered] = await take(amqp_url, "replies", 1)
        assert await depth(amqp_url, "cim.dead") == 0
    assert said(answered, "Header/CorrelationID") == "c-1"


async def test_where_two_wait_it_reaches_neither_and_the_dead_letter_says_why(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url, **site(tmp_path)):
        for number in (1, 2):
            await send(amqp_url, request(f"m-{number}", correlation=f"c-{number}"))
        first, _ = await take(amqp_url, "cim.MS", 2)
        await respond(amqp_url, NAMELESS)
        [dead] = await take(amqp_url, "cim.dead", 1)
        assert await depth(amqp_url, "replies") == 0
        await answer(amqp_url, first)  # now one alone waits
        await take(amqp_url, "replies", 1)
        await respond(amqp_url, NAMELESS.replace(b"r-1", b"r-2"))
        [answered] = await take(amqp_url, "replies", 1)
    assert (dead.headers["reason"], dead.headers["rule"]) == ("no-conversation", "reply-key")
    assert "MS owes an answer about MeterReadings to none or to several" in str(dead.headers["advice"])
    assert said(answered, "Header/CorrelationID") == "c-2"


async def test_several_parts_without_ids_answer_one_request(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    await make_queue(amqp_url, "replies")
    parts = [
        reply("", message_id=f"r-{number}", result="PARTIAL", code=code) for number, code in ((1, "0.1"), (2, "0.2"))
    ]
    async with running(amqp_url, tmp_path, store=store_url, **site(tmp_path)):
        await send(amqp_url, request())
        await take(amqp_url, "cim.MS", 1)
        for part in parts:
            await respond(amqp_url, part)
        answered = await take(amqp_url, "replies", 2)
    assert {said(one, "Header/CorrelationID") for one in answered} == {"c-1"}


@pytest.mark.parametrize("source", ["MS", "ELSEWHERE"])
async def test_other_sources_are_not_guessed_for(amqp_url: str, tmp_path: Path, source: str) -> None:
    await make_queue(amqp_url, "replies")
    settings = {} if source == "MS" else site(tmp_path)  # not set for MS, or set for MS alone
    async with running(amqp_url, tmp_path, **settings):
        await send(amqp_url, request())
        await take(amqp_url, "cim.MS", 1)
        await respond(amqp_url, NAMELESS.replace(b"<Source>MS<", f"<Source>{source}<".encode()))
        [dead] = await take(amqp_url, "cim.dead", 1)
        assert await depth(amqp_url, "replies") == 0
    assert f"replies_without_ids in [[sources]] for {source}" in str(dead.headers["advice"])


async def test_the_requests_id_in_the_replys_message_id_is_enough_for_anyone(amqp_url: str, tmp_path: Path) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        leg = said(asked, "Header/MessageID") or ""
        await respond(amqp_url, NAMELESS.replace(b"r-1", leg.encode()))
        [answered] = await take(amqp_url, "replies", 1)
    assert said(answered, "Header/CorrelationID") == "c-1"


async def test_a_source_of_no_system_is_a_mistake_in_the_settings(amqp_url: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(SITE.replace('"MS"', '"MSS"'))
    gateway = GatewayProcess(amqp_url, tmp_path, config=str(file))
    await gateway.start(wait=False)
    assert gateway.process is not None
    assert await asyncio.wait_for(gateway.process.wait(), 30) == 2
    assert "replies_without_ids is for sources of a system" in gateway.log()


async def test_it_is_matched_also_where_it_was_asked_for_before_a_restart(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url, **site(tmp_path)):
        await send(amqp_url, request())
        await take(amqp_url, "cim.MS", 1)
    await respond(amqp_url, NAMELESS)
    async with running(amqp_url, tmp_path, store=store_url, **site(tmp_path)):
        await until(lambda: _answered(amqp_url), "the asker is answered")


async def _answered(url: str) -> bool:
    return await depth(url, "replies") == 1
