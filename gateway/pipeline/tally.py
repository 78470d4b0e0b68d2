"""How far the delivery of one subscription has come, as this process knows it: written into the store now and then."""

import time
from dataclasses import dataclass

from gateway.store.subscriptions import Progress


@dataclass(slots=True)
class Tally:
    """Counts since the last `taken_out`. Times are seconds since the epoch."""

    name: str
    count: int = 0
    sent: float = 0.0
    at: float = 0.0
    trouble: str = ""
    in_hand: int = 0
    oldest: float = 0.0
    changed: bool = False

    def delivered(self, count: int, sent: float) -> None:
        """Count events that arrived; `sent` is when the last of them was published."""
        self.count += count
        self.sent, self.at = sent, time.time()
        self.trouble, self.changed = "", True

    def holds(self, in_hand: int, oldest: float) -> None:
        """Note how many are in hand, and when the oldest of them was published."""
        self.changed = self.changed or (in_hand, oldest) != (self.in_hand, self.oldest)
        self.in_hand, self.oldest = in_hand, oldest

    def held(self, why: str) -> None:
        """Note why nothing goes on."""
        self.changed = self.changed or why != self.trouble
        self.trouble = why

    def gave_up(self, why: str) -> None:
        """Note that an event went to the dead letters."""
        self.held(f"an event went to the dead letters: {why}")

    def taken_out(self) -> Progress | None:
        """Give what is to be written, if anything has changed, and begin anew."""
        if not self.changed:
            return None
        progress = Progress(
            self.name, self.count, self.sent, self.at, self.trouble, self.in_hand, self.oldest
        )  # fmt: skip
        self.count, self.changed = 0, False
        return progress

    def put_back(self, progress: Progress) -> None:
        """Count again what could not be written."""
        self.count += progress.delivered
        self.changed = True
