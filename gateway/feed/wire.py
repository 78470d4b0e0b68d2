"""Server-sent events on the wire (`text/event-stream` of the HTML standard)."""

import json
import re
from collections.abc import Mapping
from typing import Final

CONTENT_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = b": still here\n\n"
_ENDS_LINES: Final = re.compile(r"[\x00-\x1f\x7f]")


def event(name: str, data: Mapping[str, object], offset: int | None = None) -> bytes:
    """Write an event with one JSON document; with an offset, it is where its reader goes on from."""
    identity = "" if offset is None else f"id: {offset}\n"
    document = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{identity}event: {_ENDS_LINES.sub('', name)}\ndata: {document}\n\n".encode()


def place(offset: int) -> bytes:
    """Write where the reader goes on from, without an event."""
    return f"id: {offset}\n\n".encode()


def come_again(seconds: float) -> bytes:
    """Write after how long a client whose connection was lost should come again."""
    return f"retry: {round(seconds * 1000)}\n\n".encode()


def comment(text: str) -> bytes:
    """Write something that clients do not hand to their programs."""
    return f": {_ENDS_LINES.sub(' ', text)}\n\n".encode()
