"""Answers to a ReplyAddress that is a URL: posted through a configured endpoint, and through nothing else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access
from tests.conftest import Broker
from tests.e2e.harness import GatewayProcess, depth, make_queue, running, take, until
from tests.e2e.inbox import Inbox, free_port
from tests.e2e.test_conversations import answer, request, send


@pytest_asyncio.fixture
async def inbox() -> AsyncIterator[Inbox]:
    server = Inbox(free_port())
    async with server.open():
        yield server


def endpoints(folder: Path, **tables: str) -> str:
    """Write a settings file with these endpoints; gives its name."""
    file = folder / "cimgate.toml"
    file.write_text("".join(f'[[endpoints]]\nname = "{name}"\n{table}\n' for name, table in tables.items()))
    return str(file)


def asking(url: str, number: int = 1) -> bytes:
    """A request that can be answered at a URL."""
    return request(f"m-{number}", correlation=f"c-{number}").replace(b"queue:replies", url.encode())


def refused(url: str, number: int = 1) -> bytes:
    """A request that the gateway itself answers, because it is for another context."""
    return asking(url, number).replace(b"<Source>", b"<Context>STUDY</Context><Source>")


async def dead(url: str, count: int) -> list[Arrival]:
    """The next dead letters that are about answers."""
    found: list[Arrival] = []
    async with await Partner.open(Access(url, "receiver")) as partner:
        await partner.watch("cim.dead")
        while len(found) < count:
            arrival = await asyncio.wait_for(partner.arrivals.get(), 30)
            if arrival.headers["reason"] == "undeliverable":
                found.append(arrival)
    return found


async def test_an_answer_is_posted_with_its_ids_and_the_secret_of_its_endpoint_and_never_to_another_url(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    secret = tmp_path / "token"
    secret.write_text("Bearer t0ken\n")
    config = endpoints(tmp_path, crm=f'url = "{inbox.url}/cim"\nauthorization_file = "token"')
    async with running(amqp_url, tmp_path, config=config) as gateway:
        await send(amqp_url, asking(f"{inbox.url}/cim/CIS?key=7"))
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        [post] = await inbox.got(1)
        assert (post.path, post.headers["Content-Type"]) == ("/cim/CIS?key=7", "application/xml")
        assert post.headers["Authorization"] == "Bearer t0ken"
        assert (post.text_of("Result"), post.text_of("CorrelationID")) == ("OK", "c-1")
        assert post.headers["Cim-Correlation-Id"] == "c-1"
        assert post.headers["Cim-Message-Id"] == post.text_of("MessageID")
        assert "Cim-Redelivered" not in post.headers
        await send(amqp_url, refused(f"{inbox.url}/cim", 2))
        post = (await inbox.got(2))[1]
        assert (post.text_of("Result"), post.text_of("code"), post.text_of("CorrelationID")) == ("FAILED", "7.7", "c-2")
        assert post.headers["Cim-Message-Id"] == post.text_of("MessageID")
        secret.write_text("Bearer another")
        await send(amqp_url, refused(f"{inbox.url}/cim", 3))
        assert (await inbox.got(3))[2].headers["Authorization"] == "Bearer another"
        await until(lambda: _empty(amqp_url, "cim.to.crm"), "the answers are acknowledged")
        assert "t0ken" not in gateway.log()
        await send(amqp_url, asking(f"{inbox.url}/cim/../admin", 4))
        [asked] = await take(amqp_url, "cim.MS", 1)
        await answer(amqp_url, asked)
        [letter] = await dead(amqp_url, 1)
    assert letter.headers["rule"] == "no-reply-address"
    assert "no table [[endpoints]] of the settings covers" in str(letter.headers["text"])
    assert "(its path has a segment of dots)" in str(letter.headers["text"])
    assert len(inbox.posts) == 3


async def test_answers_wait_for_an_endpoint_that_is_down_and_arrive_in_their_order_when_it_is_up(
    amqp_url: str, tmp_path: Path
) -> None:
    inbox = Inbox(free_port())
    config = endpoints(tmp_path, crm=f'url = "{inbox.url}/"')
    async with running(amqp_url, tmp_path, config=config) as gateway:
        for number in range(30):
            await send(amqp_url, refused(f"{inbox.url}/in", number))
        await until(lambda: bool(gateway.events("endpoint takes no answers, retrying")), "the trouble is told")
        async with inbox.open():
            posts = await inbox.got(30)
            await until(lambda: bool(gateway.events("endpoint takes answers again")), "the end of it is told")
        assert [post.text_of("CorrelationID") for post in posts] == [f"c-{number}" for number in range(30)]
        assert not any("Cim-Redelivered" in post.headers for post in posts)
        assert len(gateway.events("endpoint takes no answers, retrying")) == 1


async def test_what_an_endpoint_says_decides_whether_it_is_asked_again(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    (tmp_path / "token").write_text("expired")
    config = endpoints(
        tmp_path,
        open=f'url = "{inbox.url}/"\nin_flight = 3',
        guarded=f'url = "{inbox.url}/guarded"\nauthorization_file = "token"',
        gone=f'url = "{nowhere}"\ngive_up_after = 0.1',
    )
    inbox.headers["Location"] = f"{inbox.url}/elsewhere"
    inbox.headers["Retry-After"] = "0"
    inbox.statuses = {
        "/500": [500, 503],
        "/429": [429],
        "/404": [404],
        "/302": [302],
        "/307": [307],
        "/401": [401],
        "/guarded": [401],
    }
    urls = [f"{inbox.url}{path}" for path in inbox.statuses] + [f"{nowhere}/x?token=s3cret"]
    async with running(amqp_url, tmp_path, config=config) as gateway:
        for number, url in enumerate(urls):
            await send(amqp_url, refused(url, number))
        async with await Partner.open(Access(amqp_url, "intruder")) as partner:
            await partner.send_to_queue(b"<x/>", "cim.to.open")
        letters = {str(letter.headers.get("receiver")): letter for letter in await dead(amqp_url, 6)}
        again = [await inbox.got(3, "/500"), await inbox.got(2, "/429"), await inbox.got(2, "/guarded")]
        await until(lambda: _empty(amqp_url, "cim.to.open"), "all is acknowledged")
        assert "s3cret" not in gateway.log()
    assert not inbox.at("/elsewhere")
    assert [[post.headers.get("Cim-Redelivered") for post in posts] for posts in again] == [
        [None, "true", "true"],
        [None, None],
        [None, None],
    ]
    told = {
        receiver.removeprefix(inbox.url): (letter.headers["rule"], letter.headers["code"], letter.headers.get("status"))
        for receiver, letter in letters.items()
    }
    assert told == {
        "/404": ("endpoint-refused", "5.3", 404),
        "/302": ("endpoint-refused", "5.3", 302),
        "/307": ("endpoint-refused", "5.3", 307),
        "/401": ("endpoint-refused", "5.3", 401),
        f"{nowhere}/x": ("endpoint-unavailable", "5.3", None),
        "None": ("endpoint-uncovered", "5.2", None),
    }
    lost = letters[f"{inbox.url}/404"]
    assert (lost.routing_key, lost.correlation_id) == ("undeliverable.MeterReadings.reply", "c-2")
    assert b"FAILED" in lost.body
    cut = {receiver for receiver, letter in letters.items() if letter.headers.get("url_cut") is True}
    assert cut == {f"{nowhere}/x"}, "its query is in no dead letter, so it cannot be posted there again"
    assert str(lost.headers["text"]).endswith("/404 refused the answer: it answered 404: so it is.")


async def test_an_endpoint_that_hangs_holds_up_neither_queues_nor_other_endpoints(
    amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    await make_queue(amqp_url, "replies")
    config = endpoints(
        tmp_path, slow=f'url = "{inbox.url}/slow"\ntimeout = 600', fast=f'url = "{inbox.url}/fast"\ntimeout = 600'
    )
    inbox.hanging.add("/slow")
    async with running(amqp_url, tmp_path, config=config, stop_timeout="0.5"):
        for number in range(20):
            await send(amqp_url, refused(f"{inbox.url}/slow", number))
        await inbox.got(1, "/slow")
        for number in range(5):
            await send(amqp_url, refused(f"{inbox.url}/fast", number))
            await send(amqp_url, request().replace(b"<Source>", b"<Context>STUDY</Context><Source>"))
        await inbox.got(5, "/fast")
        await take(amqp_url, "replies", 5)
    assert len(inbox.at("/slow")) == 1


async def test_what_hangs_when_the_gateway_stops_is_killed_or_loses_its_broker_is_posted_again_and_marked(
    broker: Broker, amqp_url: str, tmp_path: Path, inbox: Inbox
) -> None:
    config = endpoints(tmp_path, crm=f'url = "{inbox.url}/in"\ntimeout = 600')
    inbox.hanging.add("/in")
    gateway = GatewayProcess(amqp_url, tmp_path, config=config, stop_timeout="0.2")
    try:
        await gateway.start()
        await send(amqp_url, refused(f"{inbox.url}/in"))
        await inbox.got(1)
        assert await gateway.stop() == 0, gateway.log()
        await gateway.start()
        await inbox.got(2)
        await gateway.kill()
        await gateway.start()
        await inbox.got(3)
        inbox.hanging.clear()
        await broker.close_connections()
        await inbox.got(4)
        await until(lambda: _empty(amqp_url, "cim.to.crm"), "the answer is acknowledged")
        assert await gateway.stop() == 0, gateway.log()
    finally:
        await gateway.kill()
    assert [post.headers.get("Cim-Redelivered") for post in inbox.posts] == [None, "true", "true", "true"]
    assert len({post.body for post in inbox.posts}) == 1


async def _empty(url: str, queue: str) -> bool:
    return await depth(url, queue) == 0
