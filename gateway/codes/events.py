"""EndDeviceEventType (Annex E): device, domain, subdomain, action: `3.26.0.85` is a power failure at a meter."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

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


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> EventType:
    return EventType(*numbers_of(CodeKind.EVENT, text))
