"""A subscription: its name, what it takes, and where that goes."""

import re
from dataclasses import dataclass
from typing import Final

from gateway.subscriptions.filters import Filter

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
QUEUES: Final = "cim.sub."
"""How the names of all queues of subscriptions begin."""

_WEEK: Final = 7 * 86_400
_GIGABYTE: Final = 1_000_000_000


class BadSubscription(ValueError):  # noqa: N818 - says what it is
    """A subscription cannot be as it is given; the text says why, and what to write."""


@dataclass(frozen=True, slots=True)
class ToQueue:
    """To the queue alone, from which the subscriber takes its events itself."""


@dataclass(frozen=True, slots=True)
class ToWebhook:
    """Posted by the gateway to a URL that a table [[endpoints]] covers."""

    url: str


@dataclass(frozen=True, slots=True)
class ToFile:
    """Written by the gateway to a file: .cimlog, else a JSON document a line.

    A new file is begun every day where `daily` is set, and where one would become larger than `most_bytes`, unless 0.
    """

    path: str
    daily: bool = False
    most_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ToFeed:
    """Kept in a stream, from which any number of clients read. The oldest are dropped after either limit."""

    keep_seconds: int = _WEEK
    keep_bytes: int = _GIGABYTE


Delivery = ToQueue | ToWebhook | ToFile | ToFeed


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription. `created_at` is seconds since the epoch, `created_by` a login name."""

    name: str
    filter: Filter
    delivery: Delivery = ToQueue()
    created_at: float = 0.0
    created_by: str = ""
    note: str = ""

    @property
    def queue(self) -> str:
        """The queue in which its events wait."""
        return queue_of(self.name)


def queue_of(name: str) -> str:
    """Name the queue of a subscription."""
    return f"{QUEUES}{name}"


def check_name(name: str) -> str:
    """Give a name back that a subscription can have. Raises `BadSubscription`."""
    if not _NAME.fullmatch(name):
        raise BadSubscription(
            f"'{name[:80]}' is no name for a subscription: write letters, digits, - and _ (at most 63), the first "
            "a letter or digit."
        )
    return name
