"""EndDeviceControlType (Annex F): device, domain, subdomain, action: `3.31.0.23` disconnects an electric meter."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.dotted import CACHED, DottedCode, numbers_of
from gateway.codes.patterns import CodeKind


@dataclass(frozen=True, slots=True)
class ControlType(DottedCode):
    """A control type: what device, which domain and subdomain of it, what it is to do."""

    kind: ClassVar = CodeKind.CONTROL
    device: int
    domain: int
    subdomain: int
    action: int

    @classmethod
    def parse(cls, text: str) -> "ControlType":
        """Read a code. Raises `BadCode`, which names the part at fault; unknown numbers are no fault."""
        return _parse(text)


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> ControlType:
    return ControlType(*numbers_of(CodeKind.CONTROL, text))
