"""Payload.Compressed: gzip, then base64 (or base64 alone with Format BINARY), read within limits."""

import base64
import binascii
import gzip
import zlib
from typing import Final

from gateway.message.parsing import DEFAULT_LIMITS, Limits

_GZIP_MAGIC: Final = b"\x1f\x8b"
_FREE_BYTES: Final = 1024 * 1024
"""Below this size a high ratio is no danger: small and repetitive documents shrink a lot."""


class CompressionError(ValueError):
    """The compressed payload cannot be read; `rule` says why in one word, the text in a sentence."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule


def is_xml(payload_format: str | None) -> bool:
    """Tell whether the format says that the compressed text is the XML of the header's noun.

    XML is the default when Format is absent (also together with Compressed [inferred]).
    """
    return payload_format is None or payload_format.strip().upper() in ("", "XML")


def compress(document: bytes) -> str:
    """Give the text of Payload.Compressed for a document; the same bytes give the same text."""
    return base64.b64encode(gzip.compress(document, mtime=0)).decode("ascii")


def decode(text: str) -> bytes:
    """Undo the base64 alone. Raises `CompressionError` (compressed-base64) where it is none."""
    try:
        # Line breaks are usual in base64; anything else foreign is an error, never skipped.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CompressionError("compressed-base64", f"Compressed is not base64: {error}.") from error


def decompress(text: str, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Undo base64 and gzip, stopping at the limits.

    Raises `CompressionError` with rule compressed-base64, compressed-gzip (no gzip, or damaged) or compressed-bomb
    (more bytes, or a higher ratio, than the limits allow).
    """
    packed = decode(text)
    if not packed.startswith(_GZIP_MAGIC):
        raise CompressionError("compressed-gzip", "Compressed is base64, but what it holds is not gzip.")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    allowed = min(limits.decompressed_bytes, max(_FREE_BYTES, len(packed) * limits.compression_ratio))
    try:
        document = unpacker.decompress(packed, allowed + 1)
    except zlib.error as error:
        raise CompressionError("compressed-gzip", f"The gzip data is damaged: {error}.") from error
    if len(document) > allowed:
        raise CompressionError(
            "compressed-bomb",
            f"Compressed holds more than {allowed:,} bytes in {len(packed):,}: over the limit of size "
            f"({limits.decompressed_bytes:,}) or ratio ({limits.compression_ratio}:1).",
        )
    if not unpacker.eof:
        raise CompressionError("compressed-gzip", "The gzip data ends too early.")
    if unpacker.unused_data:
        raise CompressionError("compressed-gzip", "More data follows the end of the gzip data.")
    return document
