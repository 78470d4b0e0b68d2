"""Messages to URLs, one queue to one endpoint: taken from the queue, posted, acknowledged when the endpoint has them.

A message stays unacknowledged in hand until its end: taken, or a dead letter. So a crash, a stop or a lost session
gives it back to the queue, and it comes again, marked. Here a task a message is right: a post takes milliseconds.
"""

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

import structlog

from gateway.broker import Delivery, Failure, Outlet, Session
from gateway.codes import ReplyCode
from gateway.endpoints import Publication
from gateway.endpoints.breaker import Breaker, pause_after
from gateway.endpoints.http import Fate, HttpEndpoint, Outcome
from gateway.endpoints.urls import shown
from gateway.logs import about
from gateway.message import Finding
from gateway.pipeline.burial import internal_error
from gateway.pipeline.errands import Errand
from gateway.pipeline.hand import Hand
from gateway.pipeline.parcel import Parcel

if TYPE_CHECKING:
    from gateway.endpoints.posting import Poster

log = structlog.get_logger(__name__)

AT_HAND: Final = 20
"""How many messages are taken ahead of those under way: what fails by itself does not keep all others in the queue."""

_FULL_PAUSE: Final = 1.0


class Courier:
    """Brings what waits in one queue to an endpoint, for the length of one session with the broker.

    The breaker outlives sessions. What is held for `renew_after` seconds goes to its queue anew, because RabbitMQ
    closes the channel of a consumer that holds a message for half an hour: answers as new messages, and what is to stay
    in its order by closing the channel.
    """

    def __init__(self, endpoint: HttpEndpoint, errand: Errand, breaker: Breaker, *, renew_after: float) -> None:
        self._endpoint = endpoint
        self._errand = errand
        self._breaker = breaker
        self._renew_after = renew_after
        self._hand = Hand()
        self._number = 0
        self._stopping = False
        self._giving_back = False
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._session: Session
        self._outlet: Outlet

    async def open(self, session: Session) -> None:
        """Begin to consume the queue. Raises `SessionLost`."""
        self._session = session
        self._outlet = await session.open_outlet(self._errand.queue, self, prefetch=self._endpoint.in_flight + AT_HAND)

    async def serve(self) -> None:
        """Work until cancelled."""
        from gateway.endpoints.posting import Poster  # noqa: PLC0415 - a tenth of a second, only where it is needed

        poster = Poster(self._endpoint)
        try:
            while True:
                async with asyncio.TaskGroup() as group:
                    taking = group.create_task(self._take())
                    await self._post(group, poster)
                    taking.cancel()
                await self.close()
                self._hand, self._giving_back = Hand(), False
                await self.open(self._session)
        finally:
            await poster.close()

    async def close(self) -> None:
        """Consume no more: what is in hand goes back to the queue."""
        await self._session.close_outlet(self._outlet)

    async def _post(self, group: asyncio.TaskGroup, poster: "Poster") -> None:
        """Post until what is in hand is to be given back."""
        while True:
            self._renew()
            if self._giving_back and not self._busy:
                return
            self._start(group, poster)
            self._wake.clear()
            with_in = self._pause()
            timer = None if with_in is None else asyncio.get_running_loop().call_later(with_in, self._wake.set)
            await self._wake.wait()
            if timer is not None:
                timer.cancel()

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
        return self._hand.under_way

    def in_hand(self) -> tuple[int, float]:
        """How many messages are in hand, and when the oldest was first sent, 0 for none."""
        return self._hand.size, self._hand.oldest

    @property
    def _busy(self) -> bool:
        return bool(self._hand.under_way or self._outlet.publisher.pending)

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due."""
        return self._outlet.publisher.waiting_for()

    # What becomes of publications made here, dead letters and renewed answers: gateway.broker.publisher.Outcomes.

    def settled(self, delivery: Delivery) -> None:
        """Acknowledge: the message has another place."""
        self._outlet.intake.settle(delivery)

    def progressed(self) -> None:
        """Tell who waits for the end; acknowledgements are written one by one. Also called before `open` is through."""
        if (self._stopping or self._giving_back) and not self._busy:
            self._idle.set()
            self._wake.set()

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """Give the session up where a queue is missing (a new one declares it); publish again what was refused."""
        if failure.unroutable:
            self._session.fail(f"{publication.address} cannot be reached: {failure.text}")
            return
        log.warning("receiver takes no more, retrying", address=str(publication.address), reason=failure.text)
        asyncio.get_running_loop().call_later(_FULL_PAUSE, self._again, self._outlet, delivery, publication)

    def _again(self, outlet: Outlet, delivery: Delivery, publication: Publication) -> None:
        if not self._session.lost.done() and outlet is self._outlet:  # else the delivery has gone back
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
                parcel = await self._errand.parcel(delivery, self._number, loop.time())
                if self._errand.covered(parcel):
                    self._hand.add(parcel)
                else:
                    self._bury(parcel, self._uncovered(parcel), None)
            self._wake.set()

    def _at_once(self) -> int:
        return 1 if self._breaker.failures else self._endpoint.in_flight

    def _start(self, group: asyncio.TaskGroup, poster: "Poster") -> None:
        now = asyncio.get_running_loop().time()
        while not (self._stopping or self._giving_back):
            if self._hand.under_way >= self._breaker.room(now, self._endpoint.in_flight):
                return
            parcel = self._hand.next(now)
            if parcel is None:
                return
            group.create_task(self._attempt(poster, parcel))

    def _pause(self) -> float | None:
        """Give the seconds until something is to be done that nothing else wakes us for."""
        waiting = self._hand.waiting
        if not waiting or self._stopping or self._giving_back:
            return None
        now = asyncio.get_running_loop().time()
        times = [min(parcel.taken_at for parcel in waiting) + self._renew_after]
        due = self._hand.due()
        if due is not None and self._hand.under_way < self._at_once():
            times.append(max(due, self._breaker.closed_until))
        return max(min(times) - now, 0.0)

    async def _attempt(self, poster: "Poster", parcel: Parcel) -> None:
        try:
            loop = asyncio.get_running_loop()
            began = loop.time()
            outcome = await self._posted(poster, parcel)
            self._judge(parcel, outcome, began, loop.time())
        except Exception as error:  # a defect of ours must neither lose a message nor stop those behind it
            log.exception("internal error", **about(parcel.header))
            self._bury(parcel, internal_error(error), None)
        finally:
            self._hand.done(parcel)
            self._wake.set()
            if not self._busy:
                self._idle.set()

    async def _posted(self, poster: "Poster", parcel: Parcel) -> Outcome:
        try:
            headers = self._errand.headers(parcel)
        except (OSError, ValueError) as error:
            return Outcome(Fate.UNREACHED, f"the secret that signs cannot be read: {error}")
        parcel.posts += 1
        return await poster.post(parcel.url, parcel.delivery.body, headers)

    def _judge(self, parcel: Parcel, outcome: Outcome, began: float, now: float) -> None:
        parcel.repeated = parcel.repeated or outcome.may_have_it
        if outcome.fate in (Fate.TAKEN, Fate.REFUSED):
            since = self._breaker.succeeded()
            if since is not None:
                log.info(
                    self._errand.back,
                    endpoint=self._endpoint.name,
                    after=round(now - since, 1),
                )
            if outcome.fate is Fate.TAKEN:
                self._outlet.intake.settle(parcel.delivery)
                self._errand.taken(parcel)
            else:
                self._bury(parcel, self._errand.refused(parcel, outcome), outcome)
            return
        self._errand.held(f"{shown(parcel.url)}: {outcome.text}")
        jitter = random.uniform(0.8, 1.2)  # noqa: S311 - no secret hangs on it
        dead = outcome.fate is Fate.UNREACHED
        if self._breaker.failed(began, now, jitter, dead=dead, wait=outcome.wait):
            log.warning(
                self._errand.away, endpoint=self._endpoint.name, url=shown(parcel.url),
                reason=outcome.text, waiting=len(self._hand.waiting) + 1,
            )  # fmt: skip
        if not dead:
            parcel.due = now + pause_after(parcel.posts, jitter)
        self._hand.add(parcel)
        self._give_up(outcome, None if dead else parcel)

    def _give_up(self, outcome: Outcome, alone: Parcel | None) -> None:
        """Bury those of the waiting whose time is over, or this one alone."""
        oldest = time.time() - self._endpoint.give_up_after
        for parcel in self._hand.removed(lambda parcel: alone in (None, parcel) and parcel.first_sent <= oldest):
            self._bury(parcel, self._errand.unavailable(parcel, outcome), outcome)

    def _renew(self) -> None:
        oldest = asyncio.get_running_loop().time() - self._renew_after
        if self._errand.ordered:
            self._giving_back = self._giving_back or any(parcel.taken_at <= oldest for parcel in self._hand.waiting)
            return
        for parcel in self._hand.removed(lambda parcel: parcel.taken_at <= oldest):
            self._publish(parcel.renewed(self._errand.queue), parcel.delivery)

    def _bury(self, parcel: Parcel, finding: Finding, outcome: Outcome | None) -> None:
        self._publish(self._errand.letter(parcel, finding, outcome), parcel.delivery)

    def _uncovered(self, parcel: Parcel) -> Finding:
        what = shown(parcel.url) or "a message without a URL (header cim-url)"
        return Finding(
            "endpoint-uncovered",
            ReplyCode.TRANSACTION_NOT_ATTEMPTED,
            f"The table [[endpoints]] {self._endpoint.name} does not cover {what}, which waited in its queue.",
            "Nothing was posted. Mend the url of the table if it changed by mistake; the body here is the answer.",
        )
