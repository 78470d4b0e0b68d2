"""EndDeviceControlType (Annex F): device, domain, subdomain, action: `3.31.0.23` disconnects an electric meter."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from gateway.codes.answers import Answer, answers_of
from gateway.codes.device_codes import listed, meaning_of, name_of, sentence_of
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

    @property
    def name(self) -> str:
        """The name, `RCDSwitch.Disconnect`: listed, else made from the parts as far as they are known."""
        return name_of(CodeKind.CONTROL, self._parts)

    @property
    def meaning(self) -> str:
        """What is to be done, in a few words: `open the remote switch: supply off`."""
        return meaning_of(CodeKind.CONTROL, self._parts)

    @property
    def is_listed(self) -> bool:
        """Whether the list of named controls has it, for any device."""
        return listed(CodeKind.CONTROL, self._parts) is not None

    def explain(self) -> str:
        """Say in a sentence what the code means, as far as its parts are known."""
        return sentence_of(CodeKind.CONTROL, self._parts)

    def answers(self) -> tuple[Answer, ...]:
        """Give the events, of the same device, that report success or failure; none where no source names them."""
        return answers_of(self._parts)

    @property
    def _parts(self) -> tuple[str, ...]:
        return tuple(map(str, self.numbers))


@lru_cache(maxsize=CACHED)
def _parse(text: str) -> ControlType:
    return ControlType(*numbers_of(CodeKind.CONTROL, text))
