"""The versions of the envelope, told apart by namespace."""

from enum import Enum
from typing import Final


class EnvelopeVersion(Enum):
    """A version of the IEC 61968-100 envelope; a reply goes out in that of the asker."""

    FINAL = "http://iec.ch/TC57/2011/schema/message"
    DRAFT = "http://www.iec.ch/TC57/2011/schema/message"

    def __init__(self, namespace: str) -> None:
        # Plain attributes: asking an Enum for its value costs more than looking a name up, and every message asks.
        self.namespace = namespace
        """The target namespace of this version's schema."""
        self.prefix = f"{{{namespace}}}"
        """What the names of its elements begin with, as `{namespace}local`."""

    @property
    def integrity_by_default(self) -> bool:
        """What an absent enforceTransactionalIntegrity means: false in the final version, true in the draft."""
        return self is EnvelopeVersion.DRAFT


BY_NAMESPACE: Final[dict[str, EnvelopeVersion]] = {version.namespace: version for version in EnvelopeVersion}

DRAFT_CONTEXTS: Final = frozenset({"PRODUCTION", "TESTING", "DEVELOPMENT", "STUDY", "TRAINING"})
"""The contexts that the draft envelope can name; the final one takes any."""

SOAP_NAMESPACES: Final = frozenset(
    {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
)
XSD_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema"
