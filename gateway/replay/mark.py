"""How a replayed message is told from the one that was recorded: the names are declared here and nowhere else."""

from dataclasses import dataclass
from typing import Final

PROPERTY: Final = "cimgate-replay"
"""Name of the Header.Property of every replayed message whose header can be read; its value is the id of the replay."""

HEADER: Final = "cim-replay"
"""AMQP header of every replayed message: the id of the replay, a stroke, and the message's place in its source."""


@dataclass(frozen=True, slots=True)
class ReplayMark:
    """Which replay sent a message, and for which of the recorded ones; the same when it is sent again."""

    replay: str
    position: str

    def __str__(self) -> str:
        return f"{self.replay}/{self.position}"

    def known_as(self, message_id: str) -> str:
        """Give by what a replayed request is known again: not as the recorded one, and as itself if sent twice."""
        return f"{message_id} in replay {self.replay}" if message_id else f"replay {self}"


def read_mark(text: str) -> ReplayMark | None:
    """Read the AMQP header; None where it is none of ours."""
    replay, stroke, position = text.partition("/")
    return ReplayMark(replay, position) if replay and stroke and position else None
