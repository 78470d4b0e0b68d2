"""Signs what is posted to webhooks, as Standard Webhooks has it: HMAC-SHA256 over id, time and body. Pure.

The receiver holds the secret too: it knows by the signature who posted, and by the time that nobody posts it again.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

_PREFIX: Final = "whsec_"
_LEAST: Final = 24
_MOST: Final = 64


def secret_of(text: str) -> bytes:
    """Read a secret: `whsec_` and base64 of 24 to 64 bytes. Raises ValueError with a text that does not have it."""
    if not text.startswith(_PREFIX):
        raise ValueError(f"holds no secret such as {_PREFIX} and base64")
    try:
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"holds a secret whose part after {_PREFIX} is no base64") from None
    if not _LEAST <= len(secret) <= _MOST:
        raise ValueError(f"holds a secret of {len(secret)} bytes; {_LEAST} to {_MOST} are wanted")
    return secret


def webhook_id(source: str, message_id: str, body: bytes) -> str:
    """Give the id of an event for webhooks: the same for each try, whichever process makes it."""
    told = hashlib.sha256()
    for part in (source.encode(), message_id.encode(), body):
        told.update(len(part).to_bytes(8, "big") + part)
    return f"msg_{told.hexdigest()[:32]}"


def webhook_headers(secrets: Sequence[bytes], id_: str, at: int, body: bytes) -> dict[str, str]:
    """Give the headers of a post; `at` is its time in seconds since the epoch. Without secrets it is not signed."""
    signed = b".".join((id_.encode(), str(at).encode(), body))
    signatures = (base64.b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    headers = {"webhook-id": id_, "webhook-timestamp": str(at)}
    if signature := " ".join(f"v1,{signature}" for signature in signatures):
        headers["webhook-signature"] = signature
    return headers
