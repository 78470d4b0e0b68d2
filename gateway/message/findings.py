"""What a check has to say: one finding a fault, with the place, the advice and the reply code."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.codes import ReplyCode
from gateway.message.namespaces import EnvelopeVersion


class Severity(StrEnum):
    """An error refuses the message; a warning travels with it, and so does what was repaired in it (see dialects)."""

    ERROR = "error"
    WARNING = "warning"
    REPAIRED = "repaired"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a message, told so that its sender can mend it.

    `rule` is a stable id: either one of ours (`verb-of-kind`) or the XSD constraint (`cvc-enumeration-valid`).
    `text` says what is wrong, `advice` what to change; `xpath`, `line` and `column` say where (both counted
    from 1; the column is known for bad XML alone);
    `found` and `allowed` quote the value or element met and what may stand there.
    """

    rule: str
    code: ReplyCode
    text: str
    advice: str = ""
    severity: Severity = Severity.ERROR
    xpath: str = ""
    line: int | None = None
    element: str = ""
    found: str = ""
    allowed: tuple[str, ...] = ()
    column: int | None = None


class Unreadable(Exception):  # noqa: N818 - the field speaks of an unreadable message
    """The bytes are no message whose header could be read: a FaultMessage and a dead letter, never a retry.

    `version` is the version of the envelope where that much could be seen; the fault goes out in it.
    """

    def __init__(self, finding: Finding, version: EnvelopeVersion = EnvelopeVersion.FINAL) -> None:
        super().__init__(finding.text)
        self.finding = finding
        self.version = version
