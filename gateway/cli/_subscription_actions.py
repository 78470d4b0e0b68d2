"""What the commands for subscriptions do, in the store and on the broker.

A subscription is written down first and then gets its queue: broken off in between, it is in the list, without a queue,
and the same command or a start of the gateway makes what is missing. It loses its queue first and is forgotten then.
"""

import asyncio
import getpass
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from gateway.broker.subscribing import SubscriptionQueues, Waiting
from gateway.cli._shared import CommandError, ExitCode, counted
from gateway.cli._stores import existing_store
from gateway.crashpoints import crash_point
from gateway.pipeline.subscribing import LIVES
from gateway.settings import Settings
from gateway.store.subscriptions import Progress, StoredSubscription, Subscriptions
from gateway.store.subscriptions.opening import open_subscriptions
from gateway.subscriptions import (
    BadDocument,
    BadFilter,
    BadSubscription,
    Delivery,
    Judged,
    Subscription,
    ToFeed,
    ToFile,
    ToWebhook,
    check_name,
    filter_of,
    from_json,
    selection,
    to_json,
)
from gateway.wiring import access

_PATIENCE: Final = 15.0
_LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription as the store has it; without `subscription` where this release cannot read it: `problem` says why.

    `ended` where it is being deleted.
    """

    name: str
    subscription: Subscription | None
    problem: str = ""
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """Which gateways act by a change, and which seem to run but have not said so."""

    acting: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """What came of a creation. `there` tells that it had been created before."""

    subscription: Subscription
    there: bool
    heard: Heard


@dataclass(frozen=True, slots=True)
class Lag:
    """How a delivery stands. `waiting` is None where the queue is missing; `progress` is told by the gateway."""

    listed: Listed
    waiting: Waiting | None
    progress: Progress | None


def made(name: str, fields: Mapping[str, Sequence[str]], delivery: Delivery, note: str, now: float) -> Subscription:
    """Make a subscription of what was written. Raises `CommandError`."""
    try:
        return Subscription(check_name(name), filter_of(fields), delivery, now, getpass.getuser(), note)
    except (BadFilter, BadSubscription) as error:
        raise CommandError(str(error)) from error


def to_webhook(settings: Settings, url: str) -> ToWebhook:
    """Give the delivery to a URL. Raises `CommandError` where no endpoint covers it."""
    endpoint, why = settings.coverage().endpoint(url, "webhook")
    if not endpoint:
        raise CommandError(
            f"Nothing can be posted there: {why}.",
            "Write a table [[endpoints]] into cimgate.toml whose url covers it (docs/subscriptions.md), and restart "
            "the gateway with it.",
        )
    return ToWebhook(url)


def to_file(path: str, *, daily: bool, most_bytes: int) -> ToFile:
    """Give the delivery to a file. Raises `CommandError` for a relative path."""
    if not PurePath(path).is_absolute() or path.endswith("/"):
        raise CommandError(
            f"--file {path} is not the whole path of a file.",
            "Write it from / on, as the gateway sees it: it does not run in the folder of this command.",
        )
    return ToFile(path, daily, most_bytes)


def size(text: str, option: str) -> int:
    """Read a size in bytes. Raises `CommandError` that names the option."""
    from pydantic import ByteSize, TypeAdapter, ValidationError  # noqa: PLC0415 - only where a size is written

    try:
        read = int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError:
        read = 0
    if read < 1_000_000:  # noqa: PLR2004 - files and segments below that would be very many
        raise CommandError(f"{option} {text!r} is no size of 1 MB or more.", "Write 100MB, 2GiB or a number of bytes.")
    return read


async def listed(settings: Settings) -> list[Listed]:
    """Give all subscriptions, by name."""
    async with _store(settings) as store:
        return [_listed(stored) for stored in (await store.known()).subscriptions]


async def created(settings: Settings, wanted: Subscription) -> Created:
    """Write a subscription down, make its queue, and wait until the gateways judge events for it."""
    async with _store(settings) as store:
        version = await store.add(StoredSubscription(wanted.name, to_json(wanted), wanted.created_at))
        there = version is None
        if there:
            wanted = _same(_listed(await _found(store, wanted.name)), wanted)
        crash_point("subscription-kept")
        async with _queues(settings) as queues:
            await queues.declare(wanted)
        crash_point("subscription-declared")
        if selection(wanted).judged is Judged.NEVER:
            return Created(wanted, there, Heard())
        return Created(wanted, there, await _heard(store, version or await store.version()))


async def deleted(settings: Settings, name: str, *, discard: bool) -> tuple[int, Heard]:
    """Delete a subscription; gives how many events went with it. Raises `CommandError` where some wait."""
    async with _store(settings) as store, _queues(settings) as queues:
        one = _listed(await _found(store, name))
        if not discard:
            _refuse(one, await queues.waiting(name))
        # First the gateways let go of it: then what they had in hand is counted too, and none makes its queue again.
        version = await store.end(name)
        crash_point("subscription-ended")
        heard = await _heard(store, version or 0)
        left = await queues.waiting(name)
        if not discard:
            try:
                _refuse(one, left, alone=True)
            except CommandError:
                await store.end(name, ended=False)
                raise
        await queues.delete(name)
        crash_point("subscription-undeclared")
        await store.remove(name)
        return left.events if left else 0, heard


async def told(settings: Settings, name: str) -> tuple[Listed, Lag]:
    """Give one subscription, and how its delivery stands."""
    async with _store(settings) as store, _queues(settings) as queues:
        one = _listed(await _found(store, name))
        return one, Lag(one, await queues.waiting(name), (await store.progress()).get(name))


async def lags(settings: Settings) -> list[Lag]:
    """Give how all deliveries stand, by name."""
    async with _store(settings) as store, _queues(settings) as queues:
        progress = await store.progress()
        found = [_listed(stored) for stored in (await store.known()).subscriptions]
        return [Lag(one, await queues.waiting(one.name), progress.get(one.name)) for one in found]


def _refuse(one: Listed, found: Waiting | None, *, alone: bool = False) -> None:
    """Raise `CommandError` where events wait, or, where the gateway is out of it (`alone`), a consumer has some."""
    what, advice = "", "Let them be taken first, or write --discard to lose them."
    if found is not None and found.events and one.subscription and isinstance(one.subscription.delivery, ToFeed):
        what, advice = f"its stream keeps {counted(found.events, 'event')}", "Write --discard to lose them."
    elif found is not None and found.events:
        what = f"{counted(found.events, 'event')} wait{'s' if found.events == 1 else ''} in its queue"
    elif found is not None and found.consumers and alone:
        what = f"{counted(found.consumers, 'consumer')} is connected to its queue, and may have events in hand"
    if what:
        raise CommandError(
            f"The subscription {one.name} is not deleted: {what}.",
            advice,
            ExitCode.NOT_FINE,
        )


async def _heard(store: Subscriptions, version: int) -> Heard:
    """Wait until all gateways that seem to run act by a version, at most for a while."""
    end = time.monotonic() + _PATIENCE
    while True:
        readers = [reader for reader in await store.readers() if reader.seen > time.time() - LIVES]
        heard = Heard(
            tuple(reader.gateway for reader in readers if reader.version >= version),
            tuple(reader.gateway for reader in readers if reader.version < version),
        )
        if not heard.silent or time.monotonic() > end:
            return heard
        await asyncio.sleep(_LOOK_EVERY)


def _same(there: Listed, wanted: Subscription) -> Subscription:
    """Give the one that is there already. Raises `CommandError` where it is another, or is being deleted."""
    if there.ended:
        raise CommandError(
            f"The subscription {wanted.name} is being deleted.",
            f"End that first: cimgate subscriptions delete {wanted.name}",
            ExitCode.NOT_FINE,
        )
    found = there.subscription
    if found is None or replace(found, created_at=0, created_by="", note="") != replace(
        wanted, created_at=0, created_by="", note=""
    ):
        raise CommandError(
            f"The subscription {wanted.name} is there already, with another filter or another delivery.",
            f"See cimgate subscriptions show {wanted.name}; take another name, or delete it first.",
            ExitCode.NOT_FINE,
        )
    return found


async def _found(store: Subscriptions, name: str) -> StoredSubscription:
    stored = await store.one(name)
    if stored is None:
        raise CommandError(
            f"There is no subscription {name!r}.",
            "`cimgate subscriptions list` shows what is there.",
            ExitCode.NOT_FINE,
        )
    return stored


def _listed(stored: StoredSubscription) -> Listed:
    try:
        return Listed(stored.name, from_json(stored.document), ended=stored.ended)
    except BadDocument as error:
        return Listed(stored.name, None, str(error), stored.ended)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Subscriptions]:
    store = await open_subscriptions(existing_store(settings))
    try:
        yield store
    finally:
        await store.close()


def _queues(settings: Settings) -> AbstractAsyncContextManager[SubscriptionQueues]:
    return SubscriptionQueues.open(access(settings))
