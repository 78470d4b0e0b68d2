"""What a courier has in hand, and which of it is next."""

from collections.abc import Callable

from gateway.pipeline.parcel import Parcel


class Hand:
    """Parcels that wait, and those that are under way. A parcel is not begun while an earlier one it meets is in hand.

    Of answers none meets another: the one that was due first is next.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Parcel] = {}
        self._under_way: dict[int, Parcel] = {}

    @property
    def waiting(self) -> list[Parcel]:
        """Those that wait, the next ones first."""
        return sorted(self._waiting.values())

    @property
    def under_way(self) -> int:
        """How many are under way."""
        return len(self._under_way)

    @property
    def size(self) -> int:
        """How many there are in all."""
        return len(self._waiting) + len(self._under_way)

    @property
    def oldest(self) -> float:
        """When the oldest of all was first sent; 0 where there is none."""
        return min(
            (parcel.first_sent for held in (self._waiting, self._under_way) for parcel in held.values()), default=0
        )

    def add(self, parcel: Parcel) -> None:
        """Let a parcel wait: a new one, or one whose attempt failed."""
        self._under_way.pop(parcel.number, None)
        self._waiting[parcel.number] = parcel

    def next(self, now: float) -> Parcel | None:
        """Give the next one that is due and need not wait for another: it is under way then."""
        for parcel in self.waiting:
            if parcel.due > now:
                return None
            if not self._held(parcel):
                del self._waiting[parcel.number]
                self._under_way[parcel.number] = parcel
                return parcel
        return None

    def done(self, parcel: Parcel) -> None:
        """Forget one that was under way, if it does not wait again."""
        self._under_way.pop(parcel.number, None)

    def due(self) -> float | None:
        """Give when the next one is due that need not wait for another."""
        return next((parcel.due for parcel in self.waiting if not self._held(parcel)), None)

    def removed(self, wanted: Callable[[Parcel], bool]) -> list[Parcel]:
        """Take out those of the waiting that are wanted."""
        found = [parcel for parcel in self.waiting if wanted(parcel)]
        for parcel in found:
            del self._waiting[parcel.number]
        return found

    def _held(self, parcel: Parcel) -> bool:
        if not (parcel.keys or parcel.alone):
            return False
        return any(
            other.number < parcel.number and other.meets(parcel)
            for held in (self._under_way, self._waiting)
            for other in held.values()
        )
