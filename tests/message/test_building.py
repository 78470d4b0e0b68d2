from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.codes import Level, ReplyCode, Result
from gateway.message import (
    Envelope,
    EnvelopeVersion,
    Header,
    MessageKind,
    NotExpressible,
    Property,
    Reply,
    ReplyError,
    build,
    read,
)
from gateway.message.envelope import (
    Identifier,
    IdKind,
    Location,
    NamedObject,
    Operation,
    OperationSet,
    Option,
    Payload,
    ReplayDetection,
    Request,
    User,
)
from gateway.message.nouns import PART9_NOUNS
from gateway.message.parts import operation_set_of, payload_of, reply_of, request_of
from gateway.message.verbs import VERBS_OF

T = TypeVar("T")

_FILES = {EnvelopeVersion.FINAL: "message-2011.xsd", EnvelopeVersion.DRAFT: "message-2011-draft.xsd"}
_FOREIGN = '<m:MeterReadings xmlns:m="http://iec.ch/TC57/2011/MeterReadings#"><m:MeterReading/></m:MeterReadings>'

# XML cannot carry control characters; a carriage return is read as a line feed.
_text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=12
)
_word = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
_number = st.integers(-1000, 1000)
_time = st.sampled_from(["2024-03-01T00:00:00Z", "2024-03-01T24:00:00+01:00", "2024-12-31T23:59:59.999-05:00"])


def _maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def _some(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


_identifier = st.builds(Identifier, _text, _maybe(st.sampled_from(IdKind)), _maybe(_text), _maybe(_text), _maybe(_text))
_plain_identifier = st.builds(Identifier, _text)
_location = st.builds(Location, _maybe(_text), _maybe(_text), _maybe(_text))
_object = st.builds(NamedObject, _maybe(_text), _some(_text), _maybe(_text))
_request = {
    version: st.builds(
        Request, _maybe(_time), _maybe(_time), _some(st.builds(Option, _text, _maybe(_text))), _some(identifier)
    )
    for version, identifier in ((EnvelopeVersion.FINAL, _identifier), (EnvelopeVersion.DRAFT, _plain_identifier))
}


def _error(version: EnvelopeVersion) -> st.SearchStrategy[ReplyError]:
    identifier = _maybe(_identifier) if version is EnvelopeVersion.FINAL else st.none()
    return st.builds(
        ReplyError,
        code=st.sampled_from(ReplyCode).map(str) | _text,
        level=_maybe(st.sampled_from(Level)),
        reason=_maybe(_text),
        details=_maybe(_text),
        xpath=_maybe(st.just("Header")),
        stack_trace=_maybe(_text),
        location=_maybe(_location),
        id=identifier,
        related_id=identifier,
        object=_maybe(_object),
        operation_id=_maybe(_number),
    )


def _reply(version: EnvelopeVersion) -> st.SearchStrategy[Reply]:
    return st.builds(
        Reply,
        result=st.sampled_from(Result),
        errors=_some(_error(version)),
        ids=_some(_identifier if version is EnvelopeVersion.FINAL else _plain_identifier),
        content=st.just(()),
        operation_id=_maybe(_number),
    )


def _payload(version: EnvelopeVersion) -> st.SearchStrategy[Payload]:
    draft = version is EnvelopeVersion.DRAFT
    operation = st.builds(
        Operation,
        _number,
        _maybe(st.sampled_from(sorted(PART9_NOUNS))),
        _maybe(st.sampled_from(["create", "change", "delete"])),
        _maybe(st.booleans()),
        st.none(),
    )
    operations = st.builds(OperationSet, _some(operation), _maybe(st.booleans()), _maybe(st.booleans()))
    kinds = [
        st.builds(Payload, format=_maybe(_text)),
        st.builds(Payload, operation_set=operations),
        st.builds(Payload, compressed=_text, format=_maybe(_text)),
    ]
    if not draft:
        kinds.append(st.builds(Payload, ids=_some(_identifier), format=_maybe(_text)))
    return st.one_of(kinds)


def _header(version: EnvelopeVersion, kind: MessageKind) -> st.SearchStrategy[Header]:
    draft = version is EnvelopeVersion.DRAFT
    verbs = sorted(verb for verb in VERBS_OF[kind] if not (draft and verb == "executed"))
    return st.builds(
        Header,
        verb=st.sampled_from([str(verb) for verb in verbs]),
        noun=st.sampled_from(sorted(PART9_NOUNS)) if draft else _word,
        revision=_maybe(_text),
        replay_detection=_maybe(st.builds(ReplayDetection, _text, _time)),
        context=_maybe(st.just("STUDY") if draft else _text),
        timestamp=_maybe(_time),
        source=_maybe(_text),
        async_reply_flag=_maybe(st.booleans()),
        reply_address=_maybe(_text),
        ack_required=_maybe(st.booleans()),
        user=_maybe(st.builds(User, _text, _text if draft else _maybe(_text))),
        message_id=_maybe(_text),
        correlation_id=_maybe(_text),
        comment=_maybe(_text),
        properties=_some(st.builds(Property, _text, _maybe(_text))),
    )


@st.composite
def _envelopes(draw: st.DrawFn) -> tuple[Envelope, EnvelopeVersion]:
    version, kind = draw(st.sampled_from(EnvelopeVersion)), draw(st.sampled_from(MessageKind))
    if kind is MessageKind.FAULT:
        return Envelope(kind, reply=None if version is EnvelopeVersion.DRAFT else draw(_reply(version))), version
    request = draw(_maybe(_request[version])) if kind in (MessageKind.REQUEST, MessageKind.GENERIC) else None
    reply = draw(_reply(version)) if kind is MessageKind.RESPONSE else None
    header, payload = draw(_header(version, kind)), draw(_maybe(_payload(version)))
    return Envelope(kind, header, request, reply, payload), version


@pytest.fixture(scope="module")
def envelope_schemas() -> dict[EnvelopeVersion, etree.XMLSchema]:
    folder = Path(__file__).parents[2] / "schemas"
    trees = {version: etree.parse(folder / name) for version, name in _FILES.items()}
    for wildcard in trees[EnvelopeVersion.DRAFT].iter("{http://www.w3.org/2001/XMLSchema}any"):
        wildcard.set("processContents", "skip")  # as validation does: the payload is judged on its own
    return {version: etree.XMLSchema(tree) for version, tree in trees.items()}


@given(built=_envelopes())
@settings(max_examples=300, deadline=None)
def test_what_was_built_is_valid_and_reads_as_the_same_values(
    built: tuple[Envelope, EnvelopeVersion], envelope_schemas: dict[EnvelopeVersion, etree.XMLSchema]
) -> None:
    envelope, version = built
    message = read(build(envelope, version))
    envelope_schemas[version].assertValid(message.root)
    assert (message.kind, message.version) == (envelope.kind, version)
    assert message.header == (envelope.header or Header("", ""))
    assert request_of(message) == envelope.request
    assert reply_of(message) == envelope.reply
    assert payload_of(message) == envelope.payload
    assert operation_set_of(message) == (envelope.payload.operation_set if envelope.payload else None)


def _canonical(elements: Sequence[etree._Element]) -> list[bytes]:
    return [etree.tostring(element, method="c14n2") for element in elements]


@pytest.mark.parametrize("version", EnvelopeVersion)
def test_foreign_content_comes_back_as_it_was(
    version: EnvelopeVersion, envelope_schemas: dict[EnvelopeVersion, etree.XMLSchema]
) -> None:
    first = etree.fromstring(_FOREIGN)
    header = Header("create", "MeterReadings")
    envelope = Envelope(MessageKind.REQUEST, header, Request(content=(first,)), None, Payload(content=(first,)))
    message = read(build(envelope, version))
    request, payload = request_of(message), payload_of(message)
    assert request is not None
    assert payload is not None
    assert _canonical(request.content) == _canonical(payload.content) == _canonical([first])
    assert envelope_schemas[version].validate(message.root)


@given(st.text(max_size=20))
def test_characters_that_xml_cannot_carry_do_not_stop_a_reply(text: str) -> None:
    reply = Reply(Result.FAILED, (ReplyError("1.8", details=text),), (Identifier(text, id_type=text),))
    header = Header("reply", "MeterReadings", correlation_id=text)
    message = read(build(Envelope(MessageKind.RESPONSE, header, reply=reply)))
    assert reply_of(message) is not None
    assert len(message.header.correlation_id or "") == len(text)


def test_building_leaves_the_tree_that_gives_content_untouched() -> None:
    tree = etree.fromstring(f"<box>{_FOREIGN}tail</box>")
    before = etree.tostring(tree)
    payload = Payload(content=(tree[0],))
    build(Envelope(MessageKind.EVENT, Header("created", "MeterReadings"), payload=payload))
    assert etree.tostring(tree) == before


def test_the_content_of_an_operation_comes_back() -> None:
    operation = Operation(1, "MeterReadings", "create", None, etree.fromstring(_FOREIGN))
    payload = Payload(operation_set=OperationSet((operation,)))
    message = read(build(Envelope(MessageKind.REQUEST, Header("execute", "OperationSet"), payload=payload)))
    operations = operation_set_of(message)
    assert operations is not None
    [read_back] = operations.operations
    assert read_back.content is not None
    assert _canonical([read_back.content]) == _canonical([etree.fromstring(_FOREIGN)])
    assert replace(read_back, content=None) == replace(operation, content=None)


def test_an_organization_that_is_not_known_is_empty_in_the_draft() -> None:
    header = Header("get", "MeterReadings", user=User("u"))
    message = read(build(Envelope(MessageKind.REQUEST, header), EnvelopeVersion.DRAFT))
    assert message.header.user == User("u", "")


def test_attributes_of_ids_are_left_out_of_the_draft() -> None:
    request = Request(ids=(Identifier("1", IdKind.UUID, "a", "b", "c"),))
    message = read(build(Envelope(MessageKind.REQUEST, Header("get", "MeterReadings"), request), EnvelopeVersion.DRAFT))
    assert request_of(message) == Request(ids=(Identifier("1"),))


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(MessageKind.REQUEST, Header("execute", "OperationSet")),
        Envelope(MessageKind.REQUEST, Header("get", "Weather")),
        Envelope(MessageKind.REQUEST, Header("get", "MeterReadings", context="LAB")),
        Envelope(MessageKind.EVENT, Header("deleted", "MeterConfig"), payload=Payload(ids=(Identifier("1"),))),
        Envelope(
            MessageKind.RESPONSE,
            Header("reply", "MeterReadings"),
            reply=Reply(Result.FAILED, (ReplyError("2.4", id=Identifier("1")),)),
        ),
    ],
)
def test_what_the_draft_cannot_say_is_refused_and_the_final_version_says_it(envelope: Envelope) -> None:
    with pytest.raises(NotExpressible):
        build(envelope, EnvelopeVersion.DRAFT)
    assert read(build(envelope)).kind is envelope.kind


def test_an_absent_integrity_flag_means_other_things_in_the_two_versions() -> None:
    assert EnvelopeVersion.DRAFT.integrity_by_default
    assert not EnvelopeVersion.FINAL.integrity_by_default
