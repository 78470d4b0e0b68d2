"""Events that a webhook does not take for long: given back to their queue, and posted in their order in the end."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.broker import Delivery, Session, topology_of
from gateway.broker.session import Access
from gateway.broker.subscribing import SubscriptionQueues
from gateway.endpoints import AmqpAddress, Coverage, Covered, Properties, Publication, read_url
from gateway.endpoints.http import HttpEndpoint
from gateway.message import DEFAULT_LIMITS
from gateway.message.mask_paths import Masks
from gateway.outages import OutageCodes
from gateway.pipeline import Settlement
from gateway.pipeline.burial import Burial
from gateway.pipeline.delivering import Deliverer
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.pages import Keep
from gateway.pipeline.recording import Recorder
from gateway.pipeline.settlement import Counts
from gateway.pipeline.workers import Workers
from gateway.store.journal.opening import open_journal
from gateway.store.subscriptions.opening import open_subscriptions
from gateway.subscriptions import Filter, Subscription, ToWebhook
from tests.e2e.harness import depth, until
from tests.e2e.inbox import Inbox, Post, free_port
from tests.e2e.subscribing import POWER, event


def last_of_each(posts: Sequence[Post]) -> list[str | None]:
    ids = [post.text_of("MessageID") for post in posts]
    return [id_ for number, id_ in enumerate(ids) if id_ not in ids[number + 1 :]]


async def test_events_of_a_device_stay_in_their_order_when_they_go_back_to_their_queue(
    amqp_url: str, sqlite_url: str
) -> None:
    inbox = Inbox(free_port())
    inbox.statuses["/in"] = [503] * 3
    subscription = Subscription("oms", Filter(), ToWebhook(f"{inbox.url}/in"))
    endpoint = HttpEndpoint("oms", inbox.url, timeout=5, in_flight=3, give_up_after=60)
    journal, store = await open_journal(sqlite_url), await open_subscriptions(sqlite_url)
    discretion = Discretion(Masks(), DEFAULT_LIMITS)
    recorder = Recorder(journal, Keep.OFF, discretion, time.time, off_loop_bytes=50_000)
    burial = Burial(Counts(), lambda: datetime.now(UTC).isoformat(), discretion, recorder)
    coverage = Coverage([Covered("oms", read_url(inbox.url))])
    deliverer = Deliverer(store, Workers([endpoint], coverage, burial, OutageCodes(), DEFAULT_LIMITS, renew_after=0.2))
    access, settlement = Access(amqp_url, "test"), Settlement(Counts(), recorder, burial.undelivered)
    async with SubscriptionQueues.open(access) as queues:
        await queues.declare(subscription)
    session = await Session.open(
        access, topology_of("TESTING", []), settlement, prefetch=10, on_blocked=lambda _: None
    )  # fmt: skip
    settlement.serve(session)
    sent = [event(POWER) for _ in range(4)]
    async with inbox.open():
        await deliverer.take([subscription])
        serving = asyncio.create_task(deliverer.serve(session))
        for made in sent:
            place, properties = AmqpAddress("", subscription.queue), Properties(type="created.EndDeviceEvents")
            session.publisher.publish(Publication(place, made.xml(), properties), Delivery.of_our_own())
        session.publisher.flush()
        await until(lambda: len(last_of_each(inbox.posts[3:])) == len(sent), "all are posted")

        async def empty() -> bool:
            return await depth(amqp_url, subscription.queue) == 0

        await until(empty, "nothing is left in the queue")
        assert not session.lost.done()
        await deliverer.finish()
        await session.close()
        await serving
    await journal.close()
    await store.close()
    assert last_of_each(inbox.posts) == [made.id for made in sent]
    assert inbox.posts[-1].headers["Cim-Redelivered"] == "true"  # it has been back in the queue
