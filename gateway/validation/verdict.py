"""The outcome of a check: what was found, nothing where the message is good."""

from dataclasses import dataclass

from gateway.message import Finding, Severity


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of one message, errors and warnings in the order in which they were met."""

    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the message may pass: warnings travel with it, errors refuse it."""
        return not self.findings or all(finding.severity is not Severity.ERROR for finding in self.findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that refuse the message."""
        if not self.findings:
            return ()
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that travel with the message."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    @property
    def first(self) -> Finding | None:
        """The first error: its code, rule and place go into a reply and into the headers of a dead letter."""
        return next((finding for finding in self.findings if finding.severity is Severity.ERROR), None)


NOTHING_FOUND = Verdict()
"""The verdict of every message without a finding; one value for all."""
