"""Answers to URLs, one endpoint: taken from the endpoint's queue, posted, acknowledged when the endpoint has them.

A message stays unacknowledged in hand until its end: taken, or a dead letter. So a crash, a stop or a lost session
gives it back to the queue, and it comes again, marked. Here a task a message is right: a post takes milliseconds.
"""

import asyncio
import heapq
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from gateway.broker import Delivery, Failure, Outlet, Session
from gateway.codes import ReplyCode
from gateway.endpoints import Coverage, Publication
from gateway.endpoints.breaker import Breaker, pause_after
from gateway.endpoints.coverage import endpoint_queue
from gateway.endpoints.http import Fate, HttpEndpoint, Outcome
from gateway.endpoints.urls import shown
from gateway.logs import about
from gateway.message import Finding
from gateway.pipeline.burial import Burial, internal_error
from gateway.pipeline.parcel import Parcel

if TYPE_CHECKING:
    from gateway.endpoints.posting import Poster

log = structlog.get_logger(__name__)

AT_HAND: Final = 20
"""How many answers are taken ahead of those under way: what fails by itself does not keep all others in the queue."""

_FULL_PAUSE: Final = 1.0


class Courier:
    """Brings what waits for one endpoint to it, for the length of one session with the broker.

    The breaker outlives sessions. What is held for `renew_after` seconds is put into its queue anew: RabbitMQ closes
    the channel of a consumer that holds a message for half an hour.
    """

    def __init__(
        self, endpoint: HttpEndpoint, coverage: Coverage, breaker: Breaker, burial: Burial, *, renew_after: float
    ) -> None:
        self._endpoint = endpoint
        self._coverage = coverage
        self._breaker = breaker
        self._burial = burial
        self._renew_after = renew_after
        self._queue = endpoint_queue(endpoint.name)
        self._waiting: list[Parcel] = []
        self._under_way = 0
        self._number = 0
        self._stopping = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._session: Session
        self._outlet: Outlet

    async def open(self, session: Session) -> None:
        """Begin to consume the endpoint's queue. Raises `SessionLost`."""
        self._session = session
        self._outlet = await session.open_outlet(self._queue, self, prefetch=self._endpoint.in_flight + AT_HAND)

    async def serve(self) -> None:
        """Work until cancelled."""
        from gateway.endpoints.posting import Poster  # noqa: PLC0415 - a tenth of a second, only where it is needed

        poster = Poster(self._endpoint)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take())
                while True:
                    self._renew()
                    self._start(group, poster)
                    self._wake.clear()
                    with_in = self._pause()
                    timer = None if with_in is None else asyncio.get_running_loop().call_later(with_in, self._wake.set)
                    await self._wake.wait()
                    if timer is not None:
                        timer.cancel()
        finally:
            await poster.close()

    async def finish(self) -> None:
        """Begin no more posts, and wait for those under way."""
        self._stopping = True
        self._wake.set()
        while self._busy:
            self._idle.clear()
            await self._idle.wait()

    @property
    def under_way(self) -> int:
        """How many posts are under way."""
        return self._under_way

    @property
    def _busy(self) -> bool:
        return bool(self._under_way or self._outlet.publisher.pending)

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due."""
        return self._outlet.publisher.waiting_for()

    # What becomes of publications made here, dead letters and renewed answers: gateway.broker.publisher.Outcomes.

    def settled(self, delivery: Delivery) -> None:
        """Acknowledge: the message has another place."""
        self._outlet.intake.settle(delivery)

    def progressed(self) -> None:
        """Tell who waits for the end; acknowledgements are written one by one. Also called before `open` is through."""
        if self._stopping and not self._busy:
            self._idle.set()

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """Give the session up where a queue is missing (a new one declares it); publish again what was refused."""
        if failure.unroutable:
            self._session.fail(f"{publication.address} cannot be reached: {failure.text}")
            return
        log.warning("receiver takes no more, retrying", address=str(publication.address), reason=failure.text)
        asyncio.get_running_loop().call_later(_FULL_PAUSE, self._again, delivery, publication)

    def _again(self, delivery: Delivery, publication: Publication) -> None:
        if not self._session.lost.done():
            self._publish(publication, delivery)
            self._outlet.publisher.forget(delivery)

    def _publish(self, publication: Publication, delivery: Delivery) -> None:
        self._outlet.publisher.publish(publication, delivery)
        self._outlet.publisher.flush()

    async def _take(self) -> None:
        loop, intake = asyncio.get_running_loop(), self._outlet.intake
        while True:
            for delivery in await intake.batch(AT_HAND):
                intake.put_aside(delivery)  # each is acknowledged by itself
                self._number += 1
                parcel = Parcel.of(delivery, self._number, loop.time())
                if self._coverage.covers(self._endpoint.name, parcel.url):
                    heapq.heappush(self._waiting, parcel)
                else:
                    self._bury(parcel, self._uncovered(parcel), None)
            self._wake.set()

    def _at_once(self) -> int:
        return 1 if self._breaker.failures else self._endpoint.in_flight

    def _start(self, group: asyncio.TaskGroup, poster: "Poster") -> None:
        now = asyncio.get_running_loop().time()
        while (
            not self._stopping
            and self._waiting
            and self._waiting[0].due <= now
            and self._under_way < self._breaker.room(now, self._endpoint.in_flight)
        ):
            self._under_way += 1
            group.create_task(self._attempt(poster, heapq.heappop(self._waiting)))

    def _pause(self) -> float | None:
        """Give the seconds until something is to be done that nothing else wakes us for."""
        if not self._waiting or self._stopping:
            return None
        now = asyncio.get_running_loop().time()
        times = [min(parcel.taken_at for parcel in self._waiting) + self._renew_after]
        if self._under_way < self._at_once():
            times.append(max(self._waiting[0].due, self._breaker.closed_until))
        return max(min(times) - now, 0.0)

    async def _attempt(self, poster: "Poster", parcel: Parcel) -> None:
        try:
            loop = asyncio.get_running_loop()
            began = loop.time()
            parcel.posts += 1
            outcome = await poster.post(parcel.url, parcel.delivery.body, parcel.http_headers())
            self._judge(parcel, outcome, began, loop.time())
        except Exception as error:  # a defect of ours must neither lose a message nor stop those behind it
            log.exception("internal error", **about(parcel.header))
            self._bury(parcel, internal_error(error), None)
        finally:
            self._under_way -= 1
            self._wake.set()
            if not self._busy:
                self._idle.set()

    def _judge(self, parcel: Parcel, outcome: Outcome, began: float, now: float) -> None:
        parcel.repeated = parcel.repeated or outcome.may_have_it
        if outcome.fate in (Fate.TAKEN, Fate.REFUSED):
            since = self._breaker.succeeded()
            if since is not None:
                log.info("endpoint takes answers again", endpoint=self._endpoint.name, after=round(now - since, 1))
            if outcome.fate is Fate.TAKEN:
                self._outlet.intake.settle(parcel.delivery)
            else:
                self._bury(parcel, self._refused(parcel, outcome), outcome)
            return
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret hangs on it
        dead = outcome.fate is Fate.UNREACHED
        if self._breaker.failed(began, now, jitter, dead=dead, wait=outcome.wait):
            log.warning(
                "endpoint takes no answers, retrying", endpoint=self._endpoint.name, url=shown(parcel.url),
                reason=outcome.text, waiting=len(self._waiting) + 1,
            )  # fmt: skip
        if not dead:
            parcel.due = now + pause_after(parcel.posts, jitter)
        heapq.heappush(self._waiting, parcel)
        self._give_up(outcome, {parcel.number} if not dead else {waiting.number for waiting in self._waiting})

    def _give_up(self, outcome: Outcome, numbers: set[int]) -> None:
        """Bury those of the waiting whose time is over."""
        oldest = time.time() - self._endpoint.give_up_after
        for parcel in self._removed(lambda parcel: parcel.number in numbers and parcel.first_sent <= oldest):
            self._bury(parcel, self._unavailable(parcel, outcome), outcome)

    def _renew(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._renew_after
        for parcel in self._removed(lambda parcel: parcel.taken_at <= oldest):
            self._publish(parcel.renewed(self._queue), parcel.delivery)

    def _removed(self, wanted: Callable[[Parcel], bool]) -> list[Parcel]:
        found = [parcel for parcel in sorted(self._waiting) if wanted(parcel)]
        if found:
            numbers = {parcel.number for parcel in found}
            self._waiting = [parcel for parcel in self._waiting if parcel.number not in numbers]
            heapq.heapify(self._waiting)
        return found

    def _bury(self, parcel: Parcel, finding: Finding, outcome: Outcome | None) -> None:
        status = None if outcome is None else outcome.status
        letter = self._burial.unposted(
            parcel.delivery, parcel.header, finding, parcel.url, self._endpoint.name, parcel.posts, status
        )
        self._publish(letter, parcel.delivery)

    def _uncovered(self, parcel: Parcel) -> Finding:
        what = shown(parcel.url) or "a message without a URL (header cim-url)"
        return Finding(
            "endpoint-uncovered",
            ReplyCode.TRANSACTION_NOT_ATTEMPTED,
            f"The table [[endpoints]] {self._endpoint.name} does not cover {what}, which waited in its queue.",
            "Nothing was posted. Mend the url of the table if it changed by mistake; the body here is the answer.",
        )

    def _refused(self, parcel: Parcel, outcome: Outcome) -> Finding:
        return Finding(
            "endpoint-refused",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"{shown(parcel.url)} refused the answer: {outcome.text}.",
            "Let the asker mend its ReplyAddress, or its operator the endpoint; the body here is the answer.",
        )

    def _unavailable(self, parcel: Parcel, outcome: Outcome) -> Finding:
        return Finding(
            "endpoint-unavailable",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"{shown(parcel.url)} did not take the answer within {self._endpoint.give_up_after:g} s; in the end: "
            f"{outcome.text}.",
            "Let its operator mend the endpoint; the body here is the answer, to be handed over by hand.",
        )
