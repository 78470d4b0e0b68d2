"""Settle: a delivery is acknowledged once everything published for it is confirmed; what was not taken is retried."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from gateway.adapters import as_repeated
from gateway.broker import Delivery, Failure, Outlet, Session
from gateway.endpoints import Publication
from gateway.pipeline.recording import Recorder

if TYPE_CHECKING:
    from gateway.broker.intake import Intake
    from gateway.broker.publisher import Publisher

log = structlog.get_logger(__name__)

_FIRST_RETRY: Final = 0.5
_LAST_RETRY: Final = 8.0


@dataclass(slots=True)
class Counts:
    """What became of messages since the start, as this process saw it."""

    taken: int = 0
    settled: int = 0
    dead: int = 0
    published: int = 0
    replied: int = 0
    refused_by_broker: int = 0


class Settlement:
    """Hears what became of each publication of one session.

    An unroutable publication is replaced by a dead letter. One that the broker refuses (a full queue) is published
    again, ever later; its delivery is set aside meanwhile, so that it holds up nobody, and goes back to the broker
    if the session ends first.
    """

    def __init__(
        self,
        counts: Counts,
        recorder: Recorder,
        bury: Callable[[Delivery, Publication, Failure], Publication | None],
        confirmed: Callable[[Delivery], None] = lambda _: None,
        own: Callable[[Delivery], None] = lambda _: None,
    ) -> None:
        self._counts = counts
        self._recorder = recorder
        self._bury = bury
        self._confirmed = confirmed
        self._own = own
        self._session: Session | None = None
        self._intake: Intake
        self._publisher: Publisher
        self._full: set[str] = set()

    def serve(self, session: Session, outlet: Outlet | None = None) -> None:
        """Work for this session from now on, or for an outlet of it."""
        self._session = session
        line = outlet or session
        self._intake, self._publisher = line.intake, line.publisher

    def settled(self, delivery: Delivery) -> None:
        """Have a delivery written down: then it is acknowledged."""
        if delivery.sent:
            self._confirmed(delivery)
        if delivery.set_aside and self._full:
            log.info("receiver takes messages again", addresses=sorted(self._full))
            self._full.clear()
        self._recorder.close(delivery, self.written)

    def written(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge, in groups, what is in the journal; of what the gateway did by itself `own` hears."""
        if self._session is None:
            return
        for delivery in deliveries:
            if delivery.tag:
                self._counts.settled += 1
                self._intake.settle(delivery)
            else:
                self._own(delivery)
        self._intake.acknowledge()

    def progressed(self) -> None:
        """Nothing is to be done: the journal writes many at once by itself."""

    def failed(self, delivery: Delivery, publication: Publication, failure: Failure) -> None:
        """Bury what no queue takes; publish again what was refused for now."""
        session = self._session
        if session is None or session.lost.done():
            return
        if failure.unroutable:
            self._recorder.undeliverable(delivery, publication, failure.text)
            letter = self._bury(delivery, publication, failure)
            if letter is None:
                # Not even the dead letters' queue is there: a new session declares it again and the message comes anew.
                session.fail(f"Dead letters cannot be delivered: {failure.text}")
                return
            self._publish(letter, delivery)
            return
        delay = delivery.retry_in = min(max(delivery.retry_in * 2, _FIRST_RETRY), _LAST_RETRY)
        where = str(publication.address)
        if where not in self._full:
            log.warning("receiver takes no more, retrying", address=where, reason=failure.text, retry_in=delay)
            self._full.add(where)
        self._counts.refused_by_broker += 1
        self._recorder.again(delivery, publication)
        if delivery.tag:
            self._intake.put_aside(delivery)
        asyncio.get_running_loop().call_later(delay, self._again, session, delivery, publication)

    def _again(self, session: Session, delivery: Delivery, publication: Publication) -> None:
        if session.lost.done():
            return  # the delivery has gone back to the broker with its session
        if publication.address.exchange:  # one queue was full, others may have it already
            publication = as_repeated(publication)
        self._publish(publication, delivery)

    def _publish(self, publication: Publication, delivery: Delivery) -> None:
        """Publish in the place of what failed."""
        self._publisher.publish(publication, delivery)
        self._publisher.flush()
        self._publisher.forget(delivery)
