"""`cimgate request` against a real gateway: the replies as they come, and the exit status."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from gateway.broker.partner import Partner
from gateway.broker.session import Access
from tests.e2e.harness import GatewayProcess, make_queue, running, store_of, take
from tests.e2e.test_conversations import answer, request

WITHOUT_ADDRESS = b"<ReplyAddress>queue:replies</ReplyAddress>"


@dataclass
class Ended:
    status: int
    out: str
    err: str

    @property
    def words(self) -> str:
        return " ".join(self.out.split())


async def start(gateway: GatewayProcess, body: bytes, *options: str) -> asyncio.subprocess.Process:
    """Start the command with a request as its standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "request", "-", *options),
        env={**gateway.environment, "COLUMNS": "100"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(body)
    process.stdin.close()
    return process


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def asking(message_id: str = "m-1") -> bytes:
    return request(message_id).replace(WITHOUT_ADDRESS, b"")


async def test_a_request_without_a_reply_address_is_answered_here(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        process = await start(gateway, asking(), "--save", str(tmp_path / "replies"))
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        result = await ended(process)
    assert result.status == 0, result
    assert "sent with routing key TESTING.REQUESTS.MeterReadings.get, MessageID m-1" in result.words
    assert "ResponseMessage: OK after" in result.words
    assert "bytes, payload MeterReadings" in result.words
    saved = (tmp_path / "replies" / "reply-001-OK.xml").read_bytes()
    assert b"<CorrelationID>c-1</CorrelationID>" in saved


async def test_parts_are_shown_as_they_come_and_the_last_one_ends_it(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        process = await start(gateway, asking(), "--wait", "2m")
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked, message_id="r-1", result="PARTIAL", code="0.1")
        await answer(amqp_url, asked, message_id="r-2", result="PARTIAL", code="0.2")
        result = await ended(process)
    assert result.status == 1, result
    assert result.words.count("ResponseMessage: PARTIAL") == 2
    assert result.words.count("a part; more is to come") == 1


async def test_a_wait_without_an_answer_ends_in_1_and_says_where_to_look(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        result = await ended(await start(gateway, asking("m-9"), "--wait", "1s"))
    assert result.status == 1
    assert "No reply and no dead letter within 1 s" in result.words
    assert "cimgate conversations show m-9" in result.words


async def test_the_same_request_is_asked_anew_with_a_new_id(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        for _ in range(2):
            process = await start(gateway, asking(), "--new-id")
            [asked] = await take(amqp_url, "cim.MS", 1)
            await answer(amqp_url, asked)
            result = await ended(process)
            assert result.status == 0, result
            assert "MessageID m-1" not in result.words


async def test_replies_that_go_elsewhere_are_announced_and_brought_here_on_request(
    amqp_url: str, tmp_path: Path
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        elsewhere = await ended(await start(gateway, request("m-1"), "--wait", "PT0.5S"))
        assert elsewhere.status == 1
        assert "Its ReplyAddress is queue:replies: the replies go there" in elsewhere.words
        await take(amqp_url, "cim.MS", 1)
        process = await start(gateway, request("m-2"), "--here")
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        assert (await ended(process)).status == 0


async def test_a_refused_request_shows_its_answer_and_its_dead_letter(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        body = asking().replace(b"<Noun>MeterReadings", b"<Noun>Nonsense")
        result = await ended(await start(gateway, body, "--wait", "60"))
    assert result.status == 1
    assert "ResponseMessage: FAILED" in result.words
    assert "dead letter: invalid" in result.words
    assert "2.5" in result.words


async def test_what_no_reply_can_come_to_is_not_sent(amqp_url: str, tmp_path: Path) -> None:
    async with running(amqp_url, tmp_path, store=store_of(tmp_path)) as gateway:
        event = asking().replace(b"RequestMessage", b"EventMessage")
        result = await ended(await start(gateway, event))
        async with await Partner.open(Access(amqp_url, "looker")) as partner:
            assert await partner.depth("cim.dead") == (0, 0)
    assert result.status == 2
    assert "its root is EventMessage" in result.err
    assert "cimgate send" in result.err
