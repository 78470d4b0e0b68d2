"""An answer that an endpoint does not take for long: put into its queue anew, and still given up in time."""

import asyncio
import time
from datetime import UTC, datetime

from gateway.broker import Delivery, Session, topology_of
from gateway.broker.partner import Partner
from gateway.broker.session import Access
from gateway.endpoints import Coverage, Covered, Properties, Publication, read_url
from gateway.endpoints.http import HttpEndpoint
from gateway.message import DEFAULT_LIMITS
from gateway.message.mask_paths import Masks
from gateway.pipeline import Settlement
from gateway.pipeline.burial import Burial
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.forwarding import Forwarder
from gateway.pipeline.pages import Keep
from gateway.pipeline.recording import Recorder
from gateway.pipeline.settlement import Counts
from gateway.store.journal.opening import open_journal
from tests.e2e.harness import depth, until
from tests.e2e.inbox import Inbox, free_port


async def test_an_answer_that_is_held_for_too_long_goes_round_by_its_queue_and_keeps_its_age(
    amqp_url: str, sqlite_url: str
) -> None:
    inbox = Inbox(free_port())
    inbox.statuses["/in"] = [503] * 100
    coverage = Coverage([Covered("crm", read_url(inbox.url))])
    counts = Counts()
    discretion = Discretion(Masks(), DEFAULT_LIMITS)
    burial = Burial(counts, lambda: datetime.now(UTC).isoformat(), discretion)
    endpoint = HttpEndpoint("crm", inbox.url, timeout=5, in_flight=1, give_up_after=2)
    forwarder = Forwarder([endpoint], coverage, renew_after=0.3)
    journal = await open_journal(sqlite_url)
    recorder = Recorder(journal, Keep.OFF, discretion, time.time)
    settlement = Settlement(counts, recorder, burial.undelivered)
    topology = topology_of("TESTING", [], coverage.queues)
    session = await Session.open(Access(amqp_url, "test"), topology, settlement, prefetch=10, on_blocked=lambda _: None)
    settlement.serve(session)
    async with inbox.open(), await Partner.open(Access(amqp_url, "receiver")) as partner:
        await partner.watch("cim.dead")
        serving = asyncio.create_task(forwarder.serve(session, burial))
        address, _ = coverage.address(f"{inbox.url}/in")
        assert address is not None
        answer = Publication(address, b"<x/>", Properties(type="reply.MeterReadings", headers=address.headers))
        session.publisher.publish(answer, Delivery.of_our_own())
        session.publisher.flush()
        letter = await asyncio.wait_for(partner.arrivals.get(), 30)
        await until(lambda: _empty(amqp_url), "nothing is left in the queue")
        await session.close()
        await serving
        await journal.close()
    posts = letter.headers["posts"]
    assert isinstance(posts, int)
    assert 1 <= posts < len(inbox.posts)  # it has been put into the queue anew in between
    assert (letter.headers["rule"], letter.headers["status"]) == ("endpoint-unavailable", 503)
    assert [post.headers.get("Cim-Redelivered") for post in inbox.posts] == [None, *["true"] * (len(inbox.posts) - 1)]


async def _empty(url: str) -> bool:
    return await depth(url, "cim.to.crm") == 0
