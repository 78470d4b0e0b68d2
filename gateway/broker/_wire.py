"""AMQP 0-9-1 on the wire, for the hot path alone: the few frames that carry messages, confirms and acknowledgements.

pamqp decodes and encodes a frame into objects at some ten microseconds each; here a delivery costs about two. All
other frames stay with the client library. Tests hold every function against pamqp.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pamqp import decode, header
from pamqp.common import FieldTable

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
FRAME_OVERHEAD: Final = 8

CONNECTION_BLOCKED: Final = 10 << 16 | 60
CONNECTION_UNBLOCKED: Final = 10 << 16 | 61
BASIC_CANCEL: Final = 60 << 16 | 30
BASIC_RETURN: Final = 60 << 16 | 50
BASIC_DELIVER: Final = 60 << 16 | 60
BASIC_ACK: Final = 60 << 16 | 80
BASIC_NACK: Final = 60 << 16 | 120

_END: Final = b"\xce"
_FRAME_HEAD: Final = struct.Struct(">BHI")
_CONTENT_HEAD: Final = struct.Struct(">HHQH")
_ACK: Final = struct.Struct(">BHIHHQB")
_TAG: Final = struct.Struct(">QB")
_PERSISTENT: Final = b"\x02"

_CONTENT_TYPE, _CONTENT_ENCODING, _HEADERS, _DELIVERY_MODE, _PRIORITY = 1 << 15, 1 << 14, 1 << 13, 1 << 12, 1 << 11
_CORRELATION_ID, _REPLY_TO, _EXPIRATION, _MESSAGE_ID = 1 << 10, 1 << 9, 1 << 8, 1 << 7
_TIMESTAMP, _TYPE, _APP_ID = 1 << 6, 1 << 5, 1 << 3


class Deliver(NamedTuple):
    """What Basic.Deliver says before the content follows."""

    consumer_tag: str
    delivery_tag: int
    redelivered: bool
    exchange: str
    routing_key: str


class Returned(NamedTuple):
    """What Basic.Return says: no queue took the message."""

    code: int
    text: str
    exchange: str
    routing_key: str


def _short(payload: bytes, start: int) -> tuple[str, int]:
    stop = start + 1 + payload[start]
    return payload[start + 1 : stop].decode("utf-8", "replace"), stop


def method_of(payload: bytes) -> int:
    """Give class and method of a method frame's payload as one number."""
    return int.from_bytes(payload[:4], "big")


def deliver(payload: bytes) -> Deliver:
    """Read Basic.Deliver."""
    consumer, at = _short(payload, 4)
    tag, redelivered = _TAG.unpack_from(payload, at)
    exchange, at = _short(payload, at + 9)
    key, _ = _short(payload, at)
    return Deliver(consumer, tag, bool(redelivered), exchange, key)


def returned(payload: bytes) -> Returned:
    """Read Basic.Return."""
    text, at = _short(payload, 6)
    exchange, at = _short(payload, at)
    key, _ = _short(payload, at)
    return Returned(int.from_bytes(payload[4:6], "big"), text, exchange, key)


def confirmation(payload: bytes) -> tuple[int, bool]:
    """Read Basic.Ack or Basic.Nack: the sequence number, and whether it speaks for all before it."""
    tag, bits = _TAG.unpack_from(payload, 4)
    return tag, bool(bits & 1)


def reason(payload: bytes) -> str:
    """Read the reason of Connection.Blocked."""
    return _short(payload, 4)[0]


def body_size(payload: bytes) -> int:
    """Give the number of body bytes that a content header announces."""
    return int.from_bytes(payload[4:12], "big")


class Ids(NamedTuple):
    """The properties of a delivery that the gateway looks at; the headers are left encoded."""

    headers: bytes
    correlation_id: str
    reply_to: str
    message_id: str


def ids(payload: bytes) -> Ids:
    """Read headers (encoded, without their length), correlation_id, reply_to and message_id of a content header."""
    flags, at = int.from_bytes(payload[12:14], "big"), 14
    for flag in (_CONTENT_TYPE, _CONTENT_ENCODING):
        if flags & flag:
            at += 1 + payload[at]
    headers = b""
    if flags & _HEADERS:
        stop = at + 4 + int.from_bytes(payload[at : at + 4], "big")
        headers, at = payload[at + 4 : stop], stop
    at += bool(flags & _DELIVERY_MODE) + bool(flags & _PRIORITY)
    correlation_id = reply_to = message_id = ""
    if flags & _CORRELATION_ID:
        correlation_id, at = _short(payload, at)
    if flags & _REPLY_TO:
        reply_to, at = _short(payload, at)
    if flags & _MESSAGE_ID:
        if flags & _EXPIRATION:
            at += 1 + payload[at]
        message_id, _ = _short(payload, at)
    return Ids(headers, correlation_id, reply_to, message_id)


def headers(table: bytes) -> FieldTable:
    """Decode a header table given without its length."""
    return decode.field_table(len(table).to_bytes(4, "big") + table)[1]


def content_header(payload: bytes) -> header.ContentHeader:
    """Decode a content header with all its properties."""
    decoded = header.ContentHeader()
    decoded.unmarshal(payload)
    return decoded


def ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    """Write Basic.Ack."""
    return _ACK.pack(METHOD, channel, 13, 60, 80, tag, multiple) + _END


def publish_method(channel: int, exchange: str, routing_key: str, *, mandatory: bool = True) -> bytes:
    """Write Basic.Publish. The same for every message to one place, so callers keep it."""
    bits = b"\x01" if mandatory else b"\x00"
    # class 60, method 40, reserved
    payload = b"\x00\x3c\x00\x28\x00\x00" + _short_bytes(exchange) + _short_bytes(routing_key) + bits
    return _FRAME_HEAD.pack(METHOD, channel, len(payload)) + payload + _END


def content(channel: int, properties: bytes, body: bytes, frame_max: int) -> Iterator[bytes]:
    """Write the content header and the body, cut to the frame size agreed with the broker."""
    size = len(body)
    yield _FRAME_HEAD.pack(HEADER, channel, 12 + len(properties))
    yield b"\x00\x3c\x00\x00" + size.to_bytes(8, "big") + properties + _END
    room = frame_max - FRAME_OVERHEAD
    if size <= room:
        if size:
            yield _FRAME_HEAD.pack(BODY, channel, size)
            yield body
            yield _END
        return
    for start in range(0, size, room):
        part = body[start : start + room]
        yield _FRAME_HEAD.pack(BODY, channel, len(part))
        yield part
        yield _END


def properties(
    *,
    message_id: str,
    timestamp: int,
    content_type: str,
    correlation_id: str = "",
    reply_to: str = "",
    message_type: str = "",
    app_id: str = "",
    headers: Mapping[str, str | int | bool] | None = None,
) -> bytes:
    """Write the properties of a persistent message; empty ones are left out. Time in seconds since 1970."""
    flags = _CONTENT_TYPE | _DELIVERY_MODE | _MESSAGE_ID | _TIMESTAMP
    parts = [b"", _short_bytes(content_type)]
    if headers:
        flags |= _HEADERS
        parts.append(_table(headers))
    parts.append(_PERSISTENT)
    if correlation_id:
        flags |= _CORRELATION_ID
        parts.append(_short_bytes(correlation_id))
    if reply_to:
        flags |= _REPLY_TO
        parts.append(_short_bytes(reply_to))
    parts.append(_short_bytes(message_id))
    parts.append(timestamp.to_bytes(8, "big"))
    if message_type:
        flags |= _TYPE
        parts.append(_short_bytes(message_type))
    if app_id:
        flags |= _APP_ID
        parts.append(_short_bytes(app_id))
    parts[0] = flags.to_bytes(2, "big")
    return b"".join(parts)


def _table(headers: Mapping[str, str | int | bool]) -> bytes:
    """Write a header table; pamqp takes four times as long, which every event on cim.out would feel."""
    parts = [b""]
    for name, value in headers.items():
        parts.append(_short_bytes(name))
        if value is True or value is False:
            parts.append(b"t\x01" if value else b"t\x00")
        elif isinstance(value, int):
            parts.append(b"l" + value.to_bytes(8, "big", signed=True))
        else:
            data = value.encode()
            parts.append(b"S" + len(data).to_bytes(4, "big") + data)
    parts[0] = sum(map(len, parts)).to_bytes(4, "big")
    return b"".join(parts)


def _short_bytes(text: str) -> bytes:
    data = text.encode()
    return bytes((len(data),)) + data
