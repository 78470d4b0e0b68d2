"""Requests and replies through a real gateway: own ids on each leg, the asker's ids on what comes back."""

from pathlib import Path

from lxml import etree

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from tests.e2e.harness import depth, make_queue, running, take, until

FINAL = "http://iec.ch/TC57/2011/schema/message"
M = f"{{{FINAL}}}"
KEY = "TESTING.REQUESTS.MeterReadings.get"


def request(message_id: str = "m-1", *, correlation: str = "c-1", option: str = "", source: str = "CIS") -> bytes:
    ids = f"<MessageID>{message_id}</MessageID><CorrelationID>{correlation}</CorrelationID>"
    return f"""<RequestMessage xmlns="{FINAL}">
  <Header><Verb>get</Verb><Noun>MeterReadings</Noun><Source>{source}</Source>
    <ReplyAddress>queue:replies</ReplyAddress>{ids}</Header>
  <Request>{option}<GetMeterReadings xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"/></Request>
</RequestMessage>""".encode()


def reply(correlation: str, *, message_id: str = "r-1", result: str = "OK", code: str = "") -> bytes:
    error = f"<Error><code>{code}</code></Error>" if code else ""
    return f"""<ResponseMessage xmlns="{FINAL}">
  <Header><Verb>reply</Verb><Noun>MeterReadings</Noun><Source>MS</Source>
    <MessageID>{message_id}</MessageID><CorrelationID>{correlation}</CorrelationID></Header>
  <Reply><Result>{result}</Result>{error}</Reply>
  <Payload><MeterReadings xmlns="http://iec.ch/TC57/2011/MeterReadings#"><MeterReading/></MeterReadings></Payload>
</ResponseMessage>""".encode()


def said(arrival: Arrival, path: str) -> str | None:
    return etree.fromstring(arrival.body).findtext("/".join(M + step for step in path.split("/")))


async def send(url: str, body: bytes, key: str = KEY) -> None:
    async with await Partner.open(Access(url, "sender")) as partner:
        await partner.send(body, key)


async def answer(url: str, asked: Arrival, **parts: str) -> None:
    """Answer a request as its receiver: to its ReplyAddress, with its CorrelationID."""
    address = (said(asked, "Header/ReplyAddress") or "").removeprefix("queue:")
    async with await Partner.open(Access(url, "receiver")) as partner:
        await partner.send_to_queue(reply(said(asked, "Header/CorrelationID") or "", **parts), address)


async def test_a_reply_goes_back_to_its_asker_with_the_ids_that_it_sent(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        leg = said(asked, "Header/CorrelationID")
        assert leg not in (None, "c-1", "m-1")
        assert said(asked, "Header/MessageID") == leg == asked.correlation_id
        assert said(asked, "Header/ReplyAddress") == "queue:cim.in.TESTING"
        await answer(amqp_url, asked)
        [answered] = await take(amqp_url, "replies", 1)
    assert (said(answered, "Header/CorrelationID"), answered.correlation_id) == ("c-1", "c-1")
    assert said(answered, "Reply/Result") == "OK"
    assert b"MeterReading" in answered.body


async def test_who_is_not_answered_in_time_hears_4_1_and_what_comes_late_is_not_handed_on(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, request(option="<Option><name>timeout</name><value>0.5</value></Option>"))
        [asked] = await take(amqp_url, "cim.MS", 1)
        [expired] = await take(amqp_url, "replies", 1)
        assert (said(expired, "Reply/Result"), said(expired, "Reply/Error/code")) == ("FAILED", "4.1")
        await answer(amqp_url, asked)
        await until(lambda: _empty(amqp_url), "the late reply is taken")
        assert await depth(amqp_url, "replies") == 0
        assert await depth(amqp_url, "cim.dead") == 0


async def test_a_request_that_comes_twice_is_executed_once_and_answered_again(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        [first] = await take(amqp_url, "replies", 1)
        await send(amqp_url, request())
        [second] = await take(amqp_url, "replies", 1)
        assert await depth(amqp_url, "cim.MS") == 0
    assert said(first, "Header/MessageID") == said(second, "Header/MessageID")
    assert second.headers["cim-redelivered"] is True


async def test_a_reply_that_comes_after_a_restart_finds_its_asker(
    amqp_url: str, tmp_path: Path, store_url: str
) -> None:
    await make_queue(amqp_url, "replies")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, request())
        [asked] = await take(amqp_url, "cim.MS", 1)
    await answer(amqp_url, asked)
    async with running(amqp_url, tmp_path, store=store_url):
        [answered] = await take(amqp_url, "replies", 1)
    assert said(answered, "Header/CorrelationID") == "c-1"


async def test_an_answer_that_has_nowhere_to_go_is_a_dead_letter(amqp_url: str, tmp_path: Path, store_url: str) -> None:
    homeless = request(source="nobody").replace(b"<ReplyAddress>queue:replies</ReplyAddress>", b"")
    async with running(amqp_url, tmp_path, store=store_url):
        await send(amqp_url, homeless)
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        [dead] = await take(amqp_url, "cim.dead", 1)
    assert (dead.headers["reason"], dead.headers["rule"]) == ("undeliverable", "no-reply-address")
    assert b"ResponseMessage" in dead.body
    assert "no reply address was given" in str(dead.headers["text"])


async def _empty(url: str) -> bool:
    return await depth(url, "cim.in.TESTING") == 0
