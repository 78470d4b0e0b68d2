"""EndDeviceEventType (Annex E): device, domain, subdomain, action: `3.26.0.85` is a power failure at a meter."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.answers import Answer, answered_by
from gateway.codes.device_codes import listed, meaning_of, name_of, sentence_of
from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind


@dataclass(frozen=True, slots=True)
class EventType(DottedCode):
    """An event type: what device, in which domain and subdomain of it, what happened."""

    kind: ClassVar = CodeKind.EVENT
    device: int
    domain: int
    subdomain: int
    action: int

    @classmethod
    def parse(cls, text: str) -> "EventType":
        """Read a code. Raises `BadCode`, which names the part at fault; unknown numbers are no fault."""
        return _parse(text)

    @property
    def name(self) -> str:
        """The name, `Power.Failed`: listed, else made from the parts as far as they are known."""
        return name_of(CodeKind.EVENT, self._parts)

    @property
    def meaning(self) -> str:
        """What happened, in a few words: `outage`."""
        return meaning_of(CodeKind.EVENT, self._parts)

    @property
    def is_listed(self) -> bool:
        """Whether the list of named events has it, for any device."""
        return listed(CodeKind.EVENT, self._parts) is not None

    def explain(self) -> str:
        """Say in a sentence what the code means, as far as its parts are known."""
        return sentence_of(CodeKind.EVENT, self._parts)

    def answers_to(self) -> tuple[Answer, ...]:
        """Give the controls, of the same device, whose success or failure this event reports."""
        return answered_by(self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        return tuple(map(str, self.numbers))


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> EventType:
    return EventType(*numbers_of(CodeKind.EVENT, text))
