"""The hand-made frames say what pamqp says, both ways."""

from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands, frame, header

from gateway.broker import _wire

SHORT = st.text(max_size=60).filter(lambda text: len(text.encode()) <= 255)
NAME = st.text("abcXYZ019.-_:", max_size=60)  # the alphabet of exchange names
CHANNEL = st.integers(1, 65_535)
TAG = st.integers(0, 2**63 - 1)


def payload(method: commands.Basic.Deliver | commands.Basic.Ack | commands.Basic.Nack | commands.Basic.Return) -> bytes:
    return frame.marshal(method, 1)[7:-1]


@given(SHORT, TAG, st.booleans(), NAME, SHORT)
def test_a_delivery_is_read_as_pamqp_writes_it(consumer: str, tag: int, again: bool, exchange: str, key: str) -> None:
    written = commands.Basic.Deliver(consumer, tag, again, exchange, key)
    assert _wire.method_of(payload(written)) == _wire.BASIC_DELIVER
    assert _wire.deliver(payload(written)) == (consumer, tag, again, exchange, key)


@given(TAG, st.booleans())
def test_confirms_are_read_as_pamqp_writes_them(tag: int, multiple: bool) -> None:
    assert _wire.confirmation(payload(commands.Basic.Ack(tag, multiple))) == (tag, multiple)
    assert _wire.confirmation(payload(commands.Basic.Nack(tag, multiple, requeue=True))) == (tag, multiple)
    assert _wire.method_of(payload(commands.Basic.Nack(tag, multiple))) == _wire.BASIC_NACK


@given(st.integers(0, 65_535), SHORT, NAME, SHORT)
def test_a_return_is_read_as_pamqp_writes_it(code: int, text: str, exchange: str, key: str) -> None:
    assert _wire.returned(payload(commands.Basic.Return(code, text, exchange, key))) == (code, text, exchange, key)


@given(CHANNEL, TAG, st.booleans())
def test_an_acknowledgement_is_written_as_pamqp_writes_it(channel: int, tag: int, multiple: bool) -> None:
    assert _wire.ack(channel, tag, multiple=multiple) == frame.marshal(commands.Basic.Ack(tag, multiple), channel)


@given(CHANNEL, NAME, SHORT, st.booleans())
def test_a_publish_is_written_as_pamqp_writes_it(channel: int, exchange: str, key: str, mandatory: bool) -> None:
    expected = commands.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory)
    assert _wire.publish_method(channel, exchange, key, mandatory=mandatory) == frame.marshal(expected, channel)


@given(
    SHORT.filter(bool), st.integers(0, 2**40), SHORT, SHORT, SHORT, SHORT,
    st.dictionaries(SHORT.filter(bool), SHORT | st.integers(-(2**63), 2**63 - 1) | st.booleans(), max_size=4),
)  # fmt: skip
def test_properties_are_read_back_by_pamqp(
    message_id: str, seconds: int, correlation: str, reply_to: str, kind: str, app: str, headers: dict[str, str | int]
) -> None:
    encoded = _wire.properties(
        message_id=message_id, timestamp=seconds, content_type="application/xml", correlation_id=correlation,
        reply_to=reply_to, message_type=kind, app_id=app, headers=dict(headers),
    )  # fmt: skip
    head = next(iter(_wire.content(7, encoded, b"", 4096))) + list(_wire.content(7, encoded, b"", 4096))[1]
    read = _wire.content_header(head[7:-1]).properties
    assert (read.message_id, read.correlation_id or "", read.reply_to or "") == (message_id, correlation, reply_to)
    assert (read.message_type or "", read.app_id or "", read.delivery_mode) == (kind, app, 2)
    assert (read.headers or {}) == headers
    ours = _wire.ids(head[7:-1])
    assert (ours.message_id, ours.correlation_id, ours.reply_to) == (message_id, correlation, reply_to)
    assert _wire.headers(ours.headers) == headers
    assert read.timestamp is not None


@given(st.binary(max_size=5_000), st.integers(64, 1_000))
def test_a_body_is_cut_to_the_frame_size_and_nothing_of_it_is_lost(data: bytes, frame_max: int) -> None:
    written = b"".join(_wire.content(3, b"\x00\x00", data, frame_max))
    parts, size = [], None
    while written:
        length, channel, decoded = frame.unmarshal(written)
        assert channel == 3
        assert length <= frame_max
        if isinstance(decoded, header.ContentHeader):
            size = decoded.body_size
        else:
            assert isinstance(decoded, body.ContentBody)
            parts.append(decoded.value)
        written = written[length:]
    assert size == len(data)
    assert b"".join(parts) == data


OPTIONAL = st.none() | SHORT


@given(
    OPTIONAL, OPTIONAL, OPTIONAL, OPTIONAL, OPTIONAL, OPTIONAL, st.none() | st.integers(0, 9), st.none() | st.just(2)
)
def test_ids_are_found_whatever_other_properties_stand_before_them(
    content_type: str | None, encoding: str | None, correlation: str | None, reply_to: str | None,
    expiration: str | None, message_id: str | None, priority: int | None, mode: int | None,
) -> None:  # fmt: skip
    given_properties = commands.Basic.Properties(
        content_type=content_type, content_encoding=encoding, headers={"x-delivery-count": 3}, delivery_mode=mode,
        priority=priority, correlation_id=correlation, reply_to=reply_to, expiration=expiration, message_id=message_id,
        app_id="app",
    )  # fmt: skip
    head = frame.marshal(header.ContentHeader(body_size=5, properties=given_properties), 1)[7:-1]
    found = _wire.ids(head)
    assert (found.correlation_id, found.reply_to, found.message_id) == (
        correlation or "",
        reply_to or "",
        message_id or "",
    )
    assert _wire.headers(found.headers) == {"x-delivery-count": 3}
    assert _wire.body_size(head) == 5
