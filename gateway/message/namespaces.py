"""The versions of the envelope, told apart by namespace."""

from enum import Enum
from typing import Final


class EnvelopeVersion(Enum):
    """A version of the IEC 61968-100 envelope; a reply goes out in that of the asker."""

    FINAL = "http://iec.ch/TC57/2011/schema/message"
    DRAFT = "http://www.iec.ch/TC57/2011/schema/message"

    @property
    def namespace(self) -> str:
        """The target namespace of this version's schema."""
        return self._value_  # several times a message, and `value` takes five times as long

    @property
    def integrity_by_default(self) -> bool:
        """What an absent enforceTransactionalIntegrity means: false in the final version, true in the draft."""
        return self is EnvelopeVersion.DRAFT


BY_NAMESPACE: Final[dict[str, EnvelopeVersion]] = {version.namespace: version for version in EnvelopeVersion}

SOAP_NAMESPACES: Final = frozenset(
    {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"}
)
XSD_NAMESPACE: Final = "http://www.w3.org/2001/XMLSchema"
