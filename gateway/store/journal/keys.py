"""Keys of 32 bits for what a message is found by. Two texts may share one: what is found is compared in full."""

import struct
from collections.abc import Iterable
from typing import Final
from zlib import crc32

from gateway.store.journal.values import Passage

MESSAGE: Final = 0x4D657373
CORRELATION: Final = 0x436F7272
CONVERSATION: Final = 0x436F6E76
DEVICE: Final = 0x44657669
EVENT: Final = 0x4576656E
"""One text is another key as MessageID than as the name of a device."""
KEY_BYTES: Final = 4


def key(kind: int, text: str) -> int:
    """Give the key, from 0 to 2**32 - 1."""
    return crc32(text.encode("utf-8", "surrogatepass"), kind)


def keys_of(passage: Passage) -> set[int]:
    """Give all keys that a message is found by."""
    found = {key(DEVICE, name) for name in passage.devices}
    if passage.message_id is not None:
        found.add(key(MESSAGE, passage.message_id))
    if passage.correlation_id is not None:
        found.add(key(CORRELATION, passage.correlation_id))
    if passage.conversation is not None:
        found.add(key(CONVERSATION, passage.conversation))
    for event in passage.events:
        found.add(key(EVENT, event))
    return found


def packed(keys: Iterable[int]) -> bytes:
    """Give keys as bytes, `KEY_BYTES` for each."""
    every = tuple(keys)
    return struct.pack(f">{len(every)}I", *every)


def signed(number: int) -> int:
    """Give a key as PostgreSQL's integer holds it."""
    return number - (1 << 32) if number >> 31 else number
