import base64
import gzip
from collections.abc import Callable

import pytest

from gateway.codes import ReplyCode
from gateway.message import EnvelopeVersion, Finding, Limits
from gateway.message.compression import compress
from gateway.validation import Verdict

Judge = Callable[..., list[Finding]]
Root = Callable[..., str]


def _payload(text: str, payload_format: str | None = None) -> str:
    suffix = "" if payload_format is None else f"<Format>{payload_format}</Format>"
    return f"<Compressed>{text}</Compressed>{suffix}"


@pytest.mark.parametrize("version", EnvelopeVersion)
@pytest.mark.parametrize("payload_format", [None, "XML", "xml"])
def test_a_good_document_inside_passes(
    judge: Judge, root: Root, payload_format: str | None, version: EnvelopeVersion
) -> None:
    payload = _payload(compress(root("MeterReadings").encode()), payload_format)
    assert judge(payload=payload, version=version) == []


def test_line_breaks_in_base64_are_usual(judge: Judge, root: Root) -> None:
    text = compress(root("MeterReadings").encode())
    assert judge(payload=_payload("\n".join([text[:40], text[40:]]))) == []


def test_a_fault_inside_is_told_with_both_places(judge: Judge, root: Root) -> None:
    document = root("EndDeviceEvents", "\n<EndDeviceEvent/>")
    [finding] = judge(noun="EndDeviceEvents", payload=_payload(compress(document.encode())))
    assert finding.code is ReplyCode.MANDATORY_PAYLOAD_ELEMENTS_MISSING
    assert finding.text.startswith("Inside Compressed, at /EndDeviceEvents/EndDeviceEvent (line 2 there):")
    assert (finding.xpath, finding.line) == ("/EventMessage/Payload/Compressed", 8)


def test_a_document_of_another_noun_inside_is_refused(judge: Judge, root: Root) -> None:
    [finding] = judge(payload=_payload(compress(root("EndDeviceEvents").encode())))
    assert (finding.rule, finding.code) == ("noun-of-payload", ReplyCode.INVALID_NOUN)
    assert "inside Compressed" in finding.text


@pytest.mark.parametrize("document", [b"no XML", b"", b"<!DOCTYPE a><a/>"])
def test_what_is_no_xml_inside_is_refused(judge: Judge, document: bytes) -> None:
    [finding] = judge(payload=_payload(compress(document)))
    assert finding.rule == "compressed-xml"
    assert finding.text.startswith("Inside Compressed: ")


def test_bad_base64_is_refused(judge: Judge) -> None:
    [finding] = judge(payload=_payload("no base64!"))
    assert (finding.rule, finding.code) == ("compressed-base64", ReplyCode.SCHEMA_VALIDATION_FAILED)


@pytest.mark.parametrize("packed", [b"", b"plain", b"\x1f\x8bdamaged", gzip.compress(b"cut")[:-4]])
def test_what_is_no_gzip_is_refused(judge: Judge, packed: bytes) -> None:
    [finding] = judge(payload=_payload(base64.b64encode(packed).decode()))
    assert finding.rule == "compressed-gzip"


def test_a_zip_bomb_is_refused_before_it_unfolds(judge: Judge) -> None:
    [finding] = judge(payload=_payload(compress(bytes(50_000_000))))
    assert (finding.rule, finding.code) == ("compressed-bomb", ReplyCode.SCHEMA_VALIDATION_FAILED)


def test_the_limits_of_the_site_count(check: Callable[..., Verdict], write: Callable[..., bytes], root: Root) -> None:
    raw = write(payload=_payload(compress(root("MeterReadings").encode())))
    verdict = check(raw, limits=Limits(decompressed_bytes=100))
    assert [finding.rule for finding in verdict.findings] == ["compressed-bomb"]


def test_a_file_in_another_format_is_opened_but_not_judged(judge: Judge) -> None:
    assert judge(payload=_payload(compress(b"a;b;c"), "CSV")) == []
    [finding] = judge(payload=_payload(base64.b64encode(b"a;b;c").decode(), "CSV"))
    assert finding.rule == "compressed-gzip"


def test_binary_content_is_base64_alone(judge: Judge) -> None:
    assert judge(payload=_payload(base64.b64encode(b"\x00\x01").decode(), "BINARY")) == []
    [finding] = judge(payload=_payload("***", "BINARY"))
    assert finding.rule == "compressed-base64"


def test_compressed_content_is_a_payload(judge: Judge, root: Root) -> None:
    assert judge("RequestMessage", "create", payload=_payload(compress(root("MeterReadings").encode()))) == []
    assert judge("RequestMessage", "delete", payload=_payload(compress(root("MeterReadings").encode()))) == []
