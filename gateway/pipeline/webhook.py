"""A subscription whose events go to a webhook: a courier on its queue."""

from collections.abc import Callable

from gateway.broker import Session
from gateway.pipeline.courier import Courier


class Webhook:
    """Posts the events of one subscription; `make` gives a courier for each run."""

    def __init__(self, make: Callable[[], Courier]) -> None:
        self._make = make
        self._courier: Courier | None = None

    async def run(self, session: Session) -> None:
        """Post until cancelled; then what is in hand has gone back to the queue."""
        courier = self._make()
        await courier.open(session)
        self._courier = courier
        try:
            await courier.serve()
        finally:
            self._courier = None
            await courier.close()

    async def finish(self) -> None:
        """Begin no more posts, and wait for those under way."""
        if self._courier is not None:
            await self._courier.finish()

    def waiting_for(self) -> float:
        """Seconds since the last confirm of the broker while some are due."""
        return 0.0 if self._courier is None else self._courier.waiting_for()

    def in_hand(self) -> tuple[int, float]:
        """How many events are in hand, and when the oldest was published."""
        return (0, 0.0) if self._courier is None else self._courier.in_hand()


class Uncovered:
    """A subscription whose URL no endpoint of this process covers: its events wait."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def run(self, session: Session) -> None:
        """Raise OSError, which tells it."""
        del session
        raise OSError(f"nothing is posted, because {self._why}")

    async def finish(self) -> None:
        """Wait for nothing."""

    def waiting_for(self) -> float:
        """Give 0: no confirm is due."""
        return 0.0

    def in_hand(self) -> tuple[int, float]:
        """Give nothing: all are in the queue."""
        return 0, 0.0
