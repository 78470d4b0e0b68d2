"""The feed as the settings want it."""

import time

from gateway.broker import Access
from gateway.broker.streams import Streams
from gateway.feed import Feed, Renderer, Terms, Token
from gateway.outages import OutageCodes
from gateway.readiness import Readiness
from gateway.settings import Settings


async def start_feed(settings: Settings, access: Access, readiness: Readiness) -> Feed:
    """Start the feed; it is to be closed. Raises `FeedUnavailable`."""
    wanted = settings.feed
    tokens = [Token(table.name, table.secret, frozenset(table.subscriptions), table.clients) for table in wanted.tokens]
    feed = Feed(
        Streams(access),
        Renderer(OutageCodes(), settings.limits(), settings.off_loop_bytes, time.time),
        tokens,
        Terms(wanted.clients, wanted.heartbeat, wanted.patience),
        lambda: readiness.is_ready,
    )
    await feed.start(*wanted.address)
    return feed
