"""What is kept of subscriptions. Times are seconds since the epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    """One subscription, as a document. `ended`: it is being deleted, and nobody may work for it any more."""

    name: str
    document: str
    created_at: float
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """All subscriptions, and the version that they have at least: it grows with each that comes, ends or goes."""

    version: int
    subscriptions: tuple[StoredSubscription, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """A gateway process that reads the subscriptions: which version it acts by, and when it last said so."""

    gateway: str
    version: int
    seen: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a gateway has come that delivers for a subscription.

    `delivered` counts since the subscription was created; `sent` is when the last of them was published, `at` when
    it was delivered; both are 0 before the first. `in_hand` are those that the gateway has taken from the queue and not
    delivered yet, the oldest of them published at `oldest`, 0 where there is none. `trouble` says why nothing goes on,
    and is empty where all is well.
    """

    name: str
    delivered: int
    sent: float
    at: float
    trouble: str = ""
    in_hand: int = 0
    oldest: float = 0.0
