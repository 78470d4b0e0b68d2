"""The feed as the settings want it."""

import time
from collections.abc import Callable

from gateway.broker import Access
from gateway.broker.streams import Streams
from gateway.feed import Feed, Renderer, Terms, Token
from gateway.outages import OutageCodes
from gateway.settings import Settings


async def start_feed(settings: Settings, access: Access, ready: Callable[[], bool]) -> Feed:
    """Start the feed; it is to be closed. `ready` tells whether the gateway serves. Raises `FeedUnavailable`."""
    wanted = settings.feed
    tokens = [Token(table.name, table.secret, frozenset(table.subscriptions), table.clients) for table in wanted.tokens]
    feed = Feed(
        Streams(access),
        Renderer(OutageCodes(), settings.limits(), settings.off_loop_bytes, time.time),
        tokens,
        Terms(wanted.clients, wanted.heartbeat, wanted.patience),
        ready,
    )
    await feed.start(*wanted.address)
    return feed
