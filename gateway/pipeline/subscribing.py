"""The subscriptions as this process acts by them: read at its start, and again soon after each change.

What it acts by it says in the store, so that a command that changes them can wait for all gateways.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from gateway.store import StoreUnavailable
from gateway.store.subscriptions import Known, Subscriptions
from gateway.subscriptions import BadDocument, Subscription, from_json

log = structlog.get_logger(__name__)

READ_EVERY: Final = 1.0
"""Seconds between two looks at the version: it costs one small read."""

SAID_EVERY: Final = 20.0
LIVES: Final = 180.0
"""Seconds after which a gateway that has said nothing is taken to have ended."""

_FORGOTTEN: Final = 86_400.0
_UNREAD: Final = "subscriptions cannot be read: those of before stay in force"

Declare = Callable[[Sequence[Subscription]], Awaitable[None]]
Changed = Callable[[Sequence[Subscription]], Awaitable[None]]


class Subscribing:
    """Keeps the subscriptions of this process up to date. `current` are those that are in force.

    `declare` makes their queues on the broker, or raises ConnectionError; `changed` hears of those that are in force
    from now on, before the store is told. `gateway` names the process in the store.
    """

    def __init__(self, store: Subscriptions, gateway: str, declare: Declare, changed: Changed) -> None:
        self._store = store
        self._gateway = gateway
        self._declare = declare
        self._changed = changed
        self._version: int | None = None
        self._said_at = 0.0
        self._unread_since: float | None = None
        self.current: tuple[Subscription, ...] = ()

    async def read(self) -> int:
        """Read all; gives how many there are. Raises StoreUnavailable."""
        known = await self._store.known()
        self.current = _in_force(known)
        self._version = known.version
        await self._changed(self.current)
        return len(self.current)

    async def before_session(self) -> None:
        """Read again, and make the queues of all that are in force, as the broker may have lost them.

        So no event is published by what was in force before the broker was away. Raises ConnectionError.
        """
        try:
            await self.read()
        except StoreUnavailable as error:
            log.warning(_UNREAD, reason=str(error))
        if self.current:
            await self._declare(self.current)

    async def keep(self) -> None:
        """Follow the changes until cancelled, from when on the queues of `current` are there."""
        while True:
            try:
                await self._follow()
            except Exception:
                log.exception("subscriptions cannot be followed")  # those of before stay in force
            await asyncio.sleep(READ_EVERY)

    async def leave(self) -> None:
        """Tell the store that this process ends; a store that is away will see it by itself."""
        with contextlib.suppress(StoreUnavailable):
            await self._store.leaves(self._gateway)

    async def _follow(self) -> None:
        try:
            version = await self._store.version()
            if version != self._version:
                version = await self._take(await self._store.known())
            await self._say(version)
        except StoreUnavailable as error:
            if self._unread_since is None:
                self._unread_since = time.monotonic()
                log.warning(_UNREAD, reason=str(error))
        except ConnectionError as error:
            log.warning("a subscription is not in force yet: the broker is away", reason=str(error))
        else:
            if self._unread_since is not None:
                log.info("subscriptions are read again", after=round(time.monotonic() - self._unread_since, 1))
                self._unread_since = None

    async def _take(self, known: Known) -> int:
        subscriptions = _in_force(known)
        before = set(self.current)
        if new := [subscription for subscription in subscriptions if subscription not in before]:
            await self._declare(new)
        await self._changed(subscriptions)
        self.current, self._version = subscriptions, known.version
        log.info("subscriptions read", number=len(subscriptions))
        self._said_at = 0.0
        return known.version

    async def _say(self, version: int) -> None:
        now = time.monotonic()
        if self._said_at and now - self._said_at < SAID_EVERY:
            return
        await self._store.acts(self._gateway, version, time.time())
        if not self._said_at:
            await self._store.forget_readers(time.time() - _FORGOTTEN)
        self._said_at = now


def _in_force(known: Known) -> tuple[Subscription, ...]:
    found = []
    for stored in known.subscriptions:
        if stored.ended:
            continue
        try:
            found.append(from_json(stored.document))
        except BadDocument as error:
            log.error("a subscription cannot be read", subscription=stored.name, reason=str(error))  # noqa: TRY400
    return tuple(found)
