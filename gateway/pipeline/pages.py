"""What the journal will say of a delivery, collected while it is worked on: a page for each."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gateway.endpoints import Publication
from gateway.message import Finding
from gateway.message.subjects import Subjects
from gateway.pipeline.examination import Examined


class Keep(StrEnum):
    """How much of a message the journal keeps."""

    FULL = "full"
    HEADERS = "headers"
    OFF = "off"


class Outcome(StrEnum):
    """What became of a message, in the journal's words; a dead letter adds its reason: `dead:invalid`."""

    DELIVERED = "delivered"
    CONVERSATION = "conversation"
    DUPLICATE = "duplicate"
    DEAD = "dead"
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"


FULLEST: Final = (Keep.OFF, Keep.HEADERS, Keep.FULL)


@dataclass(slots=True)
class Said:
    """One publication made for a delivery. `failure` says why no queue took it."""

    publication: Publication
    at: float
    system: str = ""
    route: str = ""
    attempts: int = 1
    failure: str = ""


@dataclass(slots=True)
class Page:
    """One delivery. `since` is when work on it began, in seconds since the epoch.

    `keep` is how much of it is kept, `outcome` and `finding` what became of it and why, `subjects` what it is about
    where that is known already.
    """

    examined: Examined
    since: float
    keep: Keep
    outcome: str = ""
    finding: Finding | None = None
    conversation: str = ""
    subjects: Subjects | None = None
    said: list[Said] = field(default_factory=list)
