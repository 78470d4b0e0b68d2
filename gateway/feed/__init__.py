"""The feed: events of a subscription as server-sent events over HTTP, for browsers, scripts and wall displays.

Each client reads the stream of its subscription by itself, from where it left off, as fast as it can.
"""

from gateway.feed.rendering import Renderer
from gateway.feed.server import Feed, FeedUnavailable
from gateway.feed.telling import Terms
from gateway.feed.tokens import Token

__all__ = ["Feed", "FeedUnavailable", "Renderer", "Terms", "Token"]
