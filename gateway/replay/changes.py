"""What a replay changes in a message: its context, ids, times and reply address as asked for, and always its mark."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from lxml import etree

from gateway.message import DEFAULT_LIMITS, EnvelopeVersion, Limits, Message, Unreadable
from gateway.message.envelope import Property
from gateway.message.instants import wall_clock
from gateway.message.namespaces import DRAFT_CONTEXTS
from gateway.message.parsing import parse
from gateway.message.places import tag_of
from gateway.message.readdressing import header_of, serialized, write_header, write_replay_time
from gateway.message.reading import message_of
from gateway.replay.mark import PROPERTY

_TOPIC: Final = "topic:"
_DATE_AND_SECONDS: Final = len("2026-03-17T09:42:19")


class Difference(StrEnum):
    """In what a replayed message differs from the recorded one; the text is what a person is told."""

    MARK = f"Property {PROPERTY} added"
    CONTEXT = "Context rewritten"
    TIMESTAMP = "Timestamp shifted"
    IDS = "new MessageID and CorrelationID"
    REPLY_ADDRESS = "ReplyAddress rewritten"
    NONE = "sent as it was: its header cannot be read"


class NoSuchContext(ValueError):  # noqa: N818 - says what is missing
    """The message's version of the envelope cannot name the context."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A message as it is to be sent, and in what it differs from the recorded one.

    `context` is the one it had; empty where it had none. `message` is None where it cannot be read as it is.
    """

    body: bytes
    differences: tuple[Difference, ...]
    context: str = ""
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What is changed. `context` None keeps that of each message, `shift` is seconds added to Timestamps."""

    replay: str
    context: str | None = None
    shift: int = 0
    new_ids: bool = False
    reply_to: str = ""

    def made(self, raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Changed:
        """Give the message as it is to be sent: always the same for the same message.

        What has no header that can be read stays as it is. Raises `NoSuchContext`.
        """
        try:
            root = parse(raw, limits)
        except Unreadable:
            return Changed(raw, (Difference.NONE,))
        header = header_of(root)
        if header is None:
            return Changed(raw, (Difference.NONE,))
        prefix = tag_of(header).removesuffix("Header")
        had = {name: (header.findtext(prefix + name) or "").strip() for name in _READ}
        texts: dict[str, str | None] = {}
        told = [Difference.MARK]
        if self.context is not None and had["Context"] not in ("", self.context):
            if prefix == EnvelopeVersion.DRAFT.prefix and self.context not in DRAFT_CONTEXTS:
                raise NoSuchContext(f"The draft envelope's list of contexts lacks {self.context}.")
            texts["Context"] = self.context
            told.append(Difference.CONTEXT)
        if self.shift and (moved := shifted(had["Timestamp"], self.shift)):
            texts["Timestamp"] = moved
            told.append(Difference.TIMESTAMP)
        if self.new_ids and (new := {name: self.new_id(had[name]) for name in _IDS if had[name]}):
            texts |= new
            told.append(Difference.IDS)
        address = self._reply_address(had["ReplyAddress"], had["Context"])
        if address != had["ReplyAddress"]:
            texts["ReplyAddress"] = address
            told.append(Difference.REPLY_ADDRESS)
        write_header(header, texts, Property(PROPERTY, self.replay))
        if self.shift:
            write_replay_time(header, lambda text: shifted(text, self.shift) or text)
        body = serialized(root)
        return Changed(body, tuple(told), had["Context"], _read(body, root))

    def new_id(self, original: str) -> str:
        """Give the id that stands for a recorded one in this replay: a UUID (version 8 of RFC 9562)."""
        digest = bytearray(hashlib.sha256(f"{self.replay}\0{original}".encode()).digest()[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        text = digest.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _reply_address(self, address: str, context: str) -> str:
        if not address:
            return address
        if self.reply_to:
            return self.reply_to
        own = f"{_TOPIC}{context}."
        if self.context is not None and context and address.startswith(own):
            return f"{_TOPIC}{self.context}.{address.removeprefix(own)}"
        return address


def _read(body: bytes, root: etree._Element) -> Message | None:
    try:
        return message_of(body, root)
    except Unreadable:
        return None


_IDS: Final = ("MessageID", "CorrelationID")
_READ: Final = ("Context", "Timestamp", "ReplyAddress", *_IDS)


def shifted(text: str, by: int) -> str | None:
    """Move an xs:dateTime by whole seconds; fraction and offset stay as they are written. None where that cannot be."""
    text = text.strip()
    read = wall_clock(text)
    if read is None:
        return None
    try:
        moved = (read + timedelta(seconds=by)).replace(tzinfo=None, microsecond=0)
    except OverflowError:
        return None
    return f"{moved.isoformat()}{text[_DATE_AND_SECONDS:]}" if text[10:11] == "T" else None
