"""Telling one client what happens, one event after the other, for as long as it listens.

A client that takes nothing holds up nobody: the broker sends it no more than it takes, and after a while it is cut off.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from gateway.broker.session import BrokerUnreachable, LoginRefused, SessionLost
from gateway.broker.streams import NoStream, StreamMessage
from gateway.feed import wire
from gateway.feed.following import BEFORE_ALL, PROOF_SECONDS, Empty, Follower, Gap
from gateway.feed.rendering import Renderer

log = structlog.get_logger(__name__)

AWAY: Final = (BrokerUnreachable, LoginRefused, SessionLost)
"""The broker cannot be read from for now."""

GAP: Final = "cimgate.gap"
END: Final = "cimgate.end"
_COME_AGAIN: Final = 3.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What clients are given. Seconds.

    `patience`: one that takes nothing for so long is cut off. `missing`: a subscription that the broker does not find
    for so long is gone. `proof`: what a client has read last is searched for so long, then it is not there any more.
    """

    clients: int = 100
    heartbeat: float = 15.0
    patience: float = 60.0
    missing: float = 30.0
    proof: float = PROOF_SECONDS


class TooSlow(Exception):  # noqa: N818 - says what the client is
    """The client took nothing for too long."""


class Teller:
    """Tells one client of a subscription. `ending` is set when the gateway stops."""

    def __init__(
        self,
        request: web.Request,
        response: web.StreamResponse,
        terms: Terms,
        ending: asyncio.Event,
    ) -> None:
        self._request = request
        self._response = response
        self._terms = terms
        self._ending = ending

    async def tell(self, subscription: str, follower: Follower, renderer: Renderer, *, body: bool) -> str:
        """Tell what comes until the gateway stops or the subscription is gone; gives which, in words.

        Raises `TooSlow`, or ConnectionError where the client has gone.
        """
        await self._write(wire.come_again(_COME_AGAIN))
        while not self._ending.is_set():
            try:
                items = await self._next(follower)
            except (NoStream, *AWAY) as error:
                await self._write(wire.comment("the events cannot be read for now; it goes on by itself"))
                if not await self._opened_again(follower, error):
                    text = f"The subscription {subscription} has no feed any more."
                    await self._write(wire.event(END, {"text": text}))
                    return "the subscription is gone"
                continue
            parts: list[bytes] = []
            for item in items:
                match item:
                    case StreamMessage():
                        parts.append(await renderer.render(subscription, item, with_body=body))
                    case Gap():
                        parts.append(_gap(item))
                        log.warning("a client of the feed has missed events", subscription=subscription,
                                    after=item.after, missing_at_most=item.missing)  # fmt: skip
                    case Empty():
                        parts.append(wire.place(BEFORE_ALL))
            await self._write(b"".join(parts) or wire.HEARTBEAT)
        return "the gateway stops"

    async def _next(self, follower: Follower) -> list[StreamMessage | Gap | Empty]:
        """Wait for what comes next, or for the end."""
        turn = asyncio.ensure_future(follower.next(self._terms.heartbeat))
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({turn, ending}, return_when=asyncio.FIRST_COMPLETED)
            return turn.result() if turn.done() else []
        finally:
            turn.cancel()
            ending.cancel()
            await asyncio.gather(turn, ending, return_exceptions=True)

    async def _opened_again(self, follower: Follower, lost: Exception) -> bool:
        """Read on where it was lost, as soon as the broker lets us; false where the subscription is gone for good.

        For a while after a restart the broker says of its streams that there are none.
        """
        loop = asyncio.get_running_loop()
        missing_since: float | None = None
        pause, reason = _FIRST_PAUSE, lost
        while not self._ending.is_set():
            try:
                await follower.open()
            except NoStream as error:
                missing_since, reason = missing_since or loop.time(), error
                if loop.time() - missing_since >= self._terms.missing:
                    return False
            except AWAY as error:
                missing_since, reason = None, error
            else:
                return True
            log.debug("a stream cannot be read, trying again", reason=str(reason), retry_in=pause)
            # Jitter, so that all clients do not come back in the same instant.
            await self._pause(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret hangs on it
            pause = min(pause * 2, _LONGEST_PAUSE)
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._ending.wait(), seconds)
        except TimeoutError:
            await self._write(wire.HEARTBEAT)

    async def _write(self, data: bytes) -> None:
        """Send, as soon as the client has taken what was sent before."""
        try:
            async with asyncio.timeout(self._terms.patience):
                await self._response.write(data)
        except TimeoutError:
            if self._request.transport is not None:
                self._request.transport.abort()
            raise TooSlow from None


def _gap(gap: Gap) -> bytes:
    if gap.anew:
        text = f"The event {gap.after} is not in the subscription, which was made anew: all that it has follows."
        return wire.event(GAP, {"after": gap.after, "text": text}, BEFORE_ALL)
    text = f"Events after {gap.after} are gone (at most {gap.missing}): they were older than the subscription keeps."
    told = {"after": gap.after, "next": gap.next, "missing_at_most": gap.missing, "text": text}
    return wire.event(GAP, told, gap.next - 1)
