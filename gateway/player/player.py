"""Plays a plan to the broker: each message when it is due, many unconfirmed at a time, each accounted for.

What may be published is reserved in the store before, and what is confirmed is noted there after. So a run that goes
on after a kill sends again only what was reserved and not noted, and marks it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from gateway.adapters import as_repeated
from gateway.broker import Access, BrokerUnreachable, Delivery, Failure, SessionLost
from gateway.broker.outbound import Outbound
from gateway.endpoints import Publication
from gateway.player.documents import Progress
from gateway.player.keeper import Keeper, TakenOver
from gateway.player.sources import Source
from gateway.player.targets import Target
from gateway.player.troubles import Trouble
from gateway.replay import LeftOut, Pace, Planner, Recorded, Spacing, Step

_CHUNK: Final = 200
_CHUNK_BYTES: Final = 4 * 1024 * 1024
_CHUNK_SECONDS: Final = 1.0
_UNCONFIRMED: Final = 500
_UNCONFIRMED_BYTES: Final = 32 * 1024 * 1024
_BREATH: Final = 32
"""After so many messages without a wait the confirms that came are looked at."""
_NAP: Final = 0.25
_MOST_PROBLEMS: Final = 5


@dataclass(slots=True, eq=False)
class Account:
    """One message on its way. It is `settled` when nothing more will become of it."""

    message: Recorded
    planned: Step | LeftOut
    settled: bool = False
    late: float | None = None
    repeated: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Reach:
    """How the broker is reached. Seconds: until a missing confirm means a lost connection, and between attempts."""

    access: Access
    confirm_timeout: float = 30.0
    first_pause: float = 0.5
    longest_pause: float = 30.0
    patience: float = 120.0
    """For how long attempts are made to come back to a broker that is gone."""


class Player:
    """One run of one replay. `stop` lets it end after what is under way; `troubles` says what holds it up."""

    def __init__(
        self, source: Source, planner: Callable[[], Planner], target: Target, pace: Pace, keeper: Keeper
    ) -> None:
        self.progress: Progress = keeper.progress
        self.troubles = keeper.troubles
        self.stopping = False
        self._source = source
        self._planner = planner
        self._target = target
        self._pace = pace
        self._keeper = keeper
        self._accounts: deque[Account] = deque()
        self._unconfirmed: dict[int, Account] = {}
        self._bytes = 0
        self._refused = 0
        self._numbers = 0
        self._marked_up_to = 0
        self._wake = asyncio.Event()
        self._outbound: Outbound | None = None
        self._chunks: asyncio.Queue[list[Account] | None] = asyncio.Queue(1)

    def stop(self) -> None:
        """Ask for an end: what is under way is confirmed first."""
        self.stopping = True
        self._wake.set()

    async def play(self, reach: Reach) -> None:
        """Send all, coming back to the broker when it was away.

        Raises `LoginRefused`; `BrokerUnreachable` or `SessionLost` where it stays away; `TakenOver`, StoreUnavailable,
        and what the source raises. All that was confirmed is noted then.
        """
        pause, seen, since = reach.first_pause, self.progress.done, time.monotonic()
        while True:
            try:
                await self._attempt(reach)
            except (SessionLost, BrokerUnreachable) as error:
                now = time.monotonic()
                if self.progress.done != seen:
                    pause, seen, since = reach.first_pause, self.progress.done, now
                if self.stopping or now - since > reach.patience:
                    raise
                self.troubles.begins(Trouble.LOST, f"{error} Trying again.")
                await asyncio.sleep(pause)
                pause = min(pause * 2, reach.longest_pause)
                continue
            return

    def settled(self, delivery: Delivery) -> None:
        """Hear that a message is confirmed."""
        account = self._unconfirmed.pop(delivery.tag, None)
        if account is not None:
            self._bytes -= _size(account)
            self._settle(account)

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """Give up what no queue takes; publish again, later, what was refused for now."""
        account, outbound = self._unconfirmed.get(delivery.tag), self._outbound
        if account is None or outbound is None:
            return
        if failure.unroutable:
            account.failed = True
            if failure.text not in self.progress.problems and len(self.progress.problems) < _MOST_PROBLEMS:
                self.progress.problems.append(failure.text)
            outbound.publisher.forget(delivery)
            return
        self._refused += 1
        self.troubles.begins(Trouble.FULL, f"{failure.text} Trying again.")
        delivery.retry_in = min(max(delivery.retry_in * 2, 0.5), 8.0)
        asyncio.get_running_loop().call_later(delivery.retry_in, self._again, outbound, delivery, publication)

    def progressed(self) -> None:
        """Hear that the confirms at hand have been told."""
        self._wake.set()

    def blocked(self, reason: str | None) -> None:
        """Hear that the broker blocks us (memory or disk alarm), or lets us go on."""
        if reason is None:
            self.troubles.ends(Trouble.BLOCKED)
        else:
            self.troubles.begins(Trouble.BLOCKED, f"The broker takes no messages at this moment: {reason}.")

    async def _attempt(self, reach: Reach) -> None:
        """Play from where everything before is confirmed, on one connection."""
        self._accounts.clear()
        self._unconfirmed.clear()
        self._bytes = self._refused = 0
        self.troubles.ends(Trouble.FULL)
        self.troubles.ends(Trouble.BLOCKED)
        self._marked_up_to = self.progress.reserved
        self._chunks = asyncio.Queue(1)
        outbound = self._outbound = await Outbound.open(reach.access, "replay", self, self.blocked)
        self.troubles.ends(Trouble.LOST)
        send = asyncio.create_task(self._send(outbound), name="send")
        read = asyncio.create_task(self._read(), name="read")
        watch = asyncio.create_task(self._watch(outbound, reach.confirm_timeout), name="watch")
        tasks = (send, read, watch)
        began = time.monotonic()
        before = self.progress.seconds
        try:
            waiting: set[asyncio.Future[None]] = {*tasks, outbound.lost}
            while not send.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in done - {send}:
                    one.result()
            send.result()
        except ConnectionResetError as error:
            raise SessionLost(f"The connection was closed: {error}") from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.progress.seconds = before + time.monotonic() - began
            await outbound.close()
            if not self._accounts:
                self.progress.reserved = self.progress.done  # nothing is under way: nothing can be there twice
            with suppress(TakenOver):  # the run that did it knows more
                await self._keeper.note()

    async def _read(self) -> None:
        """Read and plan ahead, a chunk at a time; what is handed over to be sent is reserved."""
        planner = self._planner()
        chunk: list[Account] = []
        size, begins = 0, 0.0
        async with aclosing(self._source.messages(self.progress.done)) as messages:
            async for message in messages:
                if self.stopping:
                    break
                planned = planner.plan(message)
                chunk.append(Account(message, planned))
                size += len(message.body or b"")
                due = planned.due if isinstance(planned, Step) else begins
                if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES or due - begins > _CHUNK_SECONDS:
                    await self._hand_over(chunk)
                    chunk, size, begins = [], 0, due
                await asyncio.sleep(0)  # what is due is sent meanwhile
        if chunk and not self.stopping:
            await self._hand_over(chunk)
        await self._chunks.put(None)

    async def _hand_over(self, chunk: list[Account]) -> None:
        self.progress.reserved = max(self.progress.reserved, chunk[-1].message.position)
        await self._keeper.note()
        await self._chunks.put(chunk)

    async def _send(self, outbound: Outbound) -> None:
        publisher, begin, breath = outbound.publisher, None, 0
        while not self.stopping and (chunk := await self._chunks.get()) is not None:
            for account in chunk:
                planned = account.planned
                publication = self._publication(account)
                if isinstance(planned, LeftOut) or isinstance(publication, LeftOut):
                    self._accounts.append(account)
                    self._settle(account)
                    continue
                if begin is None:
                    begin = time.monotonic() - planned.due
                if not await self._turn(outbound, begin + planned.due):
                    break
                if self._pace.has_times:
                    account.late = late = time.monotonic() - begin - planned.due
                    if late > self._pace.stalled:
                        begin += late
                        self.progress.held += late
                self._accounts.append(account)
                self._numbers += 1
                delivery = _delivery(self._numbers)
                self._unconfirmed[self._numbers] = account
                self._bytes += _size(account)
                publisher.publish(publication, delivery)
                breath += 1
                if breath % _BREATH == 0:
                    await asyncio.sleep(0)
        publisher.flush()
        while self._unconfirmed:
            self._wake.clear()
            await self._wake.wait()

    def _publication(self, account: Account) -> Publication | LeftOut:
        if isinstance(account.planned, LeftOut):
            return account.planned
        account.repeated = account.message.position <= self._marked_up_to
        publication = self._target.publication(account.planned, repeated=account.repeated)
        if isinstance(publication, LeftOut):
            account.planned = publication
        return publication

    async def _turn(self, outbound: Outbound, due: float) -> bool:
        """Wait until a message is due and may be published; False where the replay is to stop."""
        while not self.stopping:
            self._wake.clear()  # before it is looked at what has come: what comes later wakes us
            left = due - time.monotonic()
            full = len(self._unconfirmed) >= _UNCONFIRMED or self._bytes >= _UNCONFIRMED_BYTES
            if not full and not self._refused and left <= 0 and self._keeper.holds:
                return True
            outbound.publisher.flush()
            await outbound.publisher.drain()
            if left > 0:
                await asyncio.sleep(min(left, _NAP))
            else:
                await self._wake.wait()
        return False

    async def _watch(self, outbound: Outbound, confirm_timeout: float) -> None:
        """Note what is confirmed, and give the connection up when confirms stay out: their fate is unknown."""
        began, before = time.monotonic(), self.progress.seconds
        while True:
            await asyncio.sleep(_NAP)
            self.progress.seconds = before + time.monotonic() - began
            waited = outbound.publisher.waiting_for()
            if waited > confirm_timeout and Trouble.BLOCKED not in self.troubles and not self._refused:
                outbound.fail(f"No publisher confirm for {waited:.0f} s.")
            await self._keeper.note()
            self._wake.set()  # it holds again

    def _again(self, outbound: Outbound, delivery: Delivery, publication: Publication) -> None:
        if outbound.lost.done():
            return
        self._refused -= 1
        if not self._refused:
            self.troubles.ends(Trouble.FULL)
        if publication.address.exchange:  # one queue was full, others may have it already
            publication = as_repeated(publication)
        outbound.publisher.publish(publication, delivery)
        with suppress(ConnectionResetError):  # `lost` tells of it
            outbound.publisher.flush()
        outbound.publisher.forget(delivery)

    def _settle(self, account: Account) -> None:
        """Account for all that is settled, up to the first that is not."""
        account.settled = True
        accounts = self._accounts
        while accounts and accounts[0].settled:
            book(self.progress, accounts.popleft())


def book(progress: Progress, account: Account) -> None:
    """Book a message that is settled: everything before it is."""
    planned = account.planned
    progress.done = account.message.position
    progress.reserved = max(progress.reserved, progress.done)
    progress.looked_at += 1
    progress.at = account.message.at
    if isinstance(planned, LeftOut):
        progress.left_out[planned.name] = progress.left_out.get(planned.name, 0) + 1
        return
    if account.failed:
        progress.undeliverable += 1
        return
    progress.sent += 1
    progress.repeated += account.repeated
    progress.masked += account.message.masked
    for difference in planned.changed.differences:
        progress.differences[difference.name] = progress.differences.get(difference.name, 0) + 1
    context = planned.changed.context
    progress.contexts[context] = progress.contexts.get(context, 0) + 1
    if account.late is not None:
        Spacing(progress.spacing).add(account.late)


def _size(account: Account) -> int:
    return len(account.message.body or b"")


def _delivery(number: int) -> Delivery:
    """Give what carries a number to the confirm and back; there is nothing to acknowledge."""
    return Delivery(number, b"", redelivered=False, exchange="", routing_key="", unbound=False, content_header=b"")
