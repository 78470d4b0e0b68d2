"""The feed as the settings want it, if they do."""

import time
from contextlib import AsyncExitStack

from gateway.broker import Access
from gateway.readiness import Readiness
from gateway.settings import Settings


async def start_feed(settings: Settings, access: Access, readiness: Readiness, opened: AsyncExitStack) -> None:
    """Start the feed where it is switched on; it ends with `opened`. Raises `FeedUnavailable`."""
    wanted = settings.feed
    if wanted.listen is None:
        return
    from gateway.broker.streams import Streams  # noqa: PLC0415 - an HTTP server is heavy, and most have none
    from gateway.feed import Feed, Renderer, Terms, Token  # noqa: PLC0415 - the same

    tokens = [Token(table.name, table.secret, frozenset(table.subscriptions), table.clients) for table in wanted.tokens]
    feed = Feed(
        Streams(access),
        Renderer(settings.outages.outage_codes(), settings.limits(), settings.off_loop_bytes, time.time),
        tokens,
        Terms(wanted.clients, wanted.heartbeat, wanted.patience),
        lambda: readiness.is_ready,
    )
    await feed.start(*wanted.address)
    opened.push_async_callback(feed.close)
