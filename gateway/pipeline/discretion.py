"""What may be kept of a message: personal data is masked before anything is written, and blanked in what is said."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from gateway.message import Finding, Limits, Message
from gateway.message.blanking import blank
from gateway.message.mask_paths import Masks
from gateway.message.redacting import Redacted, redact


@dataclass(frozen=True, slots=True)
class Discretion:
    """The masks of the site, within the limits that messages are read by."""

    masks: Masks
    limits: Limits

    def concerns(self, message: Message | None) -> bool:
        """Tell, at next to no cost, whether there is anything to mask; what was refused is not trusted to tell."""
        return bool(self.masks) and (message is None or self.masks.concern(message))

    def redacted(self, body: bytes, noun: str = "") -> Redacted:
        """Give what may be kept of a body."""
        return redact(body, self.masks, noun=noun, limits=self.limits)


def blanked(finding: Finding, values: Collection[str]) -> Finding:
    """Give a finding that quotes none of the masked values."""
    if not values:
        return finding
    return replace(
        finding,
        text=blank(finding.text, values),
        advice=blank(finding.advice, values),
        found=blank(finding.found, values),
        allowed=tuple(blank(one, values) for one in finding.allowed),
    )
