"""Cancel (Annex M) through a real gateway: the recommended pattern as it is, that of a get behind its setting."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.broker.partner import Arrival
from tests.e2e.harness import GatewayProcess, depth, make_queue, running, take, until
from tests.e2e.test_conversations import FINAL, answer, request, said, send

KEY = "TESTING.REQUESTS.MeterReadings.cancel"


def cancel(
    message_id: str, *, correlation: str = "", transaction: str = "", source: str = "CIS", noun: str = "MeterReadings"
) -> bytes:
    ids = f"<MessageID>{message_id}</MessageID>"
    ids += f"<CorrelationID>{correlation}</CorrelationID>" if correlation else ""
    named = f'<ID kind="transaction">{transaction}</ID>' if transaction else ""
    return f"""<RequestMessage xmlns="{FINAL}">
  <Header><Verb>cancel</Verb><Noun>{noun}</Noun><Source>{source}</Source>
    <ReplyAddress>queue:cancelled</ReplyAddress>{ids}</Header>
  <Request>{named}</Request>
</RequestMessage>""".encode()


@asynccontextmanager
async def permissive(url: str, folder: Path, store: str) -> AsyncIterator[GatewayProcess]:
    for name in ("replies", "cancelled"):
        await make_queue(url, name)
    async with running(url, folder, store=store, allow_cancel_of_get="true") as gateway:
        yield gateway


def verdict(answered: Arrival) -> tuple[str | None, str | None]:
    return said(answered, "Reply/Result"), said(answered, "Reply/Error/code")


async def outcome(url: str, body: bytes) -> tuple[str | None, str | None]:
    """Send a cancel; what its asker hears."""
    await send(url, body, KEY)
    [answered] = await take(url, "cancelled", 1)
    return verdict(answered)


@pytest.mark.parametrize(
    "named", [{"correlation": "c-1"}, {"transaction": "m-1"}], ids=["by CorrelationID", "by MessageID as transaction"]
)
async def test_a_get_is_ended_with_6_5_and_what_comes_later_reaches_nobody(
    amqp_url: str, tmp_path: Path, store_url: str, named: dict[str, str]
) -> None:
    async with permissive(amqp_url, tmp_path, store_url) as gateway:
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        assert await outcome(amqp_url, cancel("x-1", **named)) == ("OK", "0.0")
        [ended] = await take(amqp_url, "replies", 1)
        assert verdict(ended) == ("FAILED", "6.5")
        assert said(ended, "Header/CorrelationID") == "c-1"
        await answer(amqp_url, asked)
        await until(lambda: _empty(amqp_url), "the late reply is taken")
        assert await outcome(amqp_url, cancel("x-2", **named)) == ("FAILED", "6.1")
        assert await depth(amqp_url, "replies") == await depth(amqp_url, "cim.MS") == 0
        assert await depth(amqp_url, "cim.dead") == 0
    assert "not the recommended pattern" in gateway.events("accepted with a warning")[0]["text"]


async def test_a_get_that_has_said_something_ends_as_partial(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    async with permissive(amqp_url, tmp_path, store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked, result="PARTIAL", code="0.1")
        await take(amqp_url, "replies", 1)
        assert await outcome(amqp_url, cancel("x-1", correlation="c-1")) == ("OK", "0.0")
        [ended] = await take(amqp_url, "replies", 1)
    assert verdict(ended) == ("PARTIAL", "0.2")
    assert b"<code>6.5</code>" in ended.body


async def test_the_get_of_another_asker_cannot_be_cancelled(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    async with permissive(amqp_url, tmp_path, store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        assert await outcome(amqp_url, cancel("x-1", correlation="c-1", source="OMS")) == ("FAILED", "2.15")
        await answer(amqp_url, asked)
        [answered] = await take(amqp_url, "replies", 1)
    assert verdict(answered) == ("OK", None)


async def test_a_cancel_that_is_repeated_is_answered_as_before(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    async with permissive(amqp_url, tmp_path, store_url):
        await send(amqp_url, request())
        await take(amqp_url, "cim.MS", 1)
        for _ in range(2):
            assert await outcome(amqp_url, cancel("x-1", correlation="c-1")) == ("OK", "0.0")
        await take(amqp_url, "replies", 1)
        assert await depth(amqp_url, "replies") == 0


async def test_without_the_setting_it_is_refused_and_the_get_goes_on(amqp_url: str, tmp_path: Path) -> None:
    for name in ("replies", "cancelled"):
        await make_queue(amqp_url, name)
    async with running(amqp_url, tmp_path):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        await send(amqp_url, cancel("x-1", correlation="c-1"), KEY)
        [refused] = await take(amqp_url, "cancelled", 1)
        await answer(amqp_url, asked)
        [answered] = await take(amqp_url, "replies", 1)
    assert verdict(refused) == ("FAILED", "1.6")
    assert "allow_cancel_of_get" in (said(refused, "Reply/Error/details") or "")
    assert verdict(answered) == ("OK", None)


async def test_the_recommended_cancel_of_an_object_goes_to_its_system(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    schedule = cancel("x-1", correlation="c-9", transaction="t-1", noun="MeterReadSchedule")
    async with permissive(amqp_url, tmp_path, store_url):
        await send(amqp_url, schedule, "TESTING.REQUESTS.MeterReadSchedule.cancel")
        [asked] = await take(amqp_url, "cim.MS", 1)
    assert said(asked, "Header/Verb") == "cancel"
    assert said(asked, "Request/ID") == "t-1"


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0
