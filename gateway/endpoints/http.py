"""HTTP endpoints as values: how one is called, and what came of a post."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path


class Fate(Enum):
    """What becomes of a message after an attempt to post it."""

    TAKEN = auto()
    """The endpoint has it."""
    LATER = auto()
    """Not now: it is to be tried again."""
    UNREACHED = auto()
    """Nobody was reached, so the message has nothing to do with it: all that waits for this endpoint waits on."""
    REFUSED = auto()
    """Never: another try would change nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `text` says it for people; `wait` is the pause in seconds that the endpoint asked for.

    `may_have_it` tells that the endpoint may have taken the message all the same, so the next try must be marked.
    """

    fate: Fate
    text: str
    status: int | None = None
    wait: float = 0.0
    may_have_it: bool = False


@dataclass(frozen=True, slots=True)
class HttpEndpoint:
    """A configured endpoint. `url` is its prefix without any secret; durations are seconds.

    At most `in_flight` posts are under way at a time; with one, messages arrive in the order in which they were sent.
    `authorization` gives the value of the header, read anew for each post so that a token can be replaced; it raises
    OSError or ValueError where there is none to read. A message is given up `give_up_after` after it was first sent.
    `signing` gives the secrets by which events are signed, under the same terms.
    """

    name: str
    url: str
    timeout: float
    in_flight: int
    give_up_after: float
    authorization: Callable[[], str] | None = None
    ca_file: Path | None = None
    signing: Callable[[], Sequence[bytes]] | None = None
