"""Answers to URLs, all endpoints: each has a courier of its own, so that a slow one holds up no other."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.broker import Session
from gateway.endpoints import Coverage
from gateway.endpoints.breaker import Breaker
from gateway.endpoints.http import HttpEndpoint
from gateway.pipeline.burial import Burial
from gateway.pipeline.courier import Courier
from gateway.pipeline.errands import Answers

RENEW_AFTER: Final = 900.0
"""Seconds after which a message in hand is given back: a post takes 600 at most, and RabbitMQ waits for 1800."""


class Forwarder:
    """Posts what waits in the queues of the endpoints, session after session."""

    def __init__(
        self, endpoints: Sequence[HttpEndpoint], coverage: Coverage, *, renew_after: float = RENEW_AFTER
    ) -> None:
        self._endpoints = [(endpoint, Breaker()) for endpoint in endpoints]
        self._coverage = coverage
        self._renew_after = renew_after
        self._couriers: list[Courier] = []

    async def serve(self, session: Session, burial: Burial) -> None:
        """Work until the session is lost, or until cancelled; `burial` makes the dead letters.

        Raises `SessionLost` if it cannot begin.
        """
        self._couriers = []
        for endpoint, breaker in self._endpoints:
            answers = Answers(endpoint, self._coverage, burial)
            courier = Courier(endpoint, answers, breaker, renew_after=self._renew_after)
            await courier.open(session)
            self._couriers.append(courier)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(courier.serve()) for courier in self._couriers]
            await asyncio.wait({session.lost})
            for task in tasks:
                task.cancel()

    @property
    def under_way(self) -> int:
        """How many posts are under way."""
        return sum(courier.under_way for courier in self._couriers)

    async def finish(self) -> None:
        """Begin no more posts, and wait for those under way."""
        await asyncio.gather(*(courier.finish() for courier in self._couriers))

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due, the longest of all couriers."""
        return max((courier.waiting_for() for courier in self._couriers), default=0.0)
