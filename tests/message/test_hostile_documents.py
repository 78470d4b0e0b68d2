from pathlib import Path

import pytest

from gateway.codes import ReplyCode
from gateway.message import DEFAULT_LIMITS, EnvelopeVersion, Finding, Limits, Unreadable, read

_START = (
    f'<EventMessage xmlns="{EnvelopeVersion.FINAL.namespace}"><Header><Verb>created</Verb><Noun>MeterReadings</Noun>'
)
_END = "</Header></EventMessage>"


def _refused(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Finding:
    with pytest.raises(Unreadable) as refused:
        read(raw, limits)
    assert refused.value.finding.code is ReplyCode.SCHEMA_VALIDATION_FAILED
    assert refused.value.finding.advice
    return refused.value.finding


@pytest.mark.parametrize("raw", [b"", b" \r\n\t"])
def test_an_empty_body_is_refused(raw: bytes) -> None:
    assert _refused(raw).rule == "xml-empty"


@pytest.mark.parametrize(
    "raw", [b"hello", b"<a>", b"<a></b>", b"<a/><b/>", b"{}", b"\x00\x01\x02", b"<a>&nbsp;</a>", b"<a><![CDATA[x</a>"]
)
def test_what_is_not_well_formed_is_refused(raw: bytes) -> None:
    finding = _refused(raw)
    assert finding.rule == "xml-not-well-formed"
    assert finding.line == 1


def test_the_line_of_a_broken_element_is_told() -> None:
    assert _refused(b"<a>\n<b>\n</a>").line == 3


@pytest.mark.parametrize(
    "raw",
    [
        "<?xml version='1.0' encoding='UTF-8'?><a>\xe9</a>".encode("latin-1"),
        b"<?xml version='1.0' encoding='x-none'?><a/>",
    ],
)
def test_a_wrong_encoding_is_refused(raw: bytes) -> None:
    finding = _refused(raw)
    assert finding.rule == "xml-not-well-formed"
    assert "encoding" in finding.text + finding.advice


def test_a_message_over_the_limit_is_refused_unread() -> None:
    raw = b"<a>" + b"x" * 100_000_000 + b"</a>"
    finding = _refused(raw)
    assert finding.rule == "message-too-large"
    assert "100,000,007" in finding.text


@pytest.mark.parametrize(
    "raw",
    [
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".encode("utf-16"),
        "<!DOCTYPE a><a/>".encode("utf-16-le"),
        b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE a [<+ACE-ENTITY x 'y'>]><a>+ACY-x;</a>",
        b"<?xml version='1.0' encoding='utf-8'?><!-- a --><!DOCTYPE a><a/>",
        b"<?xml version='1.0'?><!DOCTYPE a><a/>",
        "<!DOCTYPE a><a/>".encode("utf-8-sig"),
    ],
)
def test_a_doctype_does_not_hide_in_an_encoding(raw: bytes) -> None:
    assert _refused(raw).rule in ("xml-doctype", "xml-not-well-formed")
    with pytest.raises(Unreadable):
        read(raw)


def test_entities_that_grow_are_refused() -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    raw = f'<!DOCTYPE a [<!ENTITY a0 "ha">{levels}]>{_START}<Comment>&a9;</Comment>{_END}'
    assert _refused(raw.encode()).rule == "xml-doctype"


def test_an_external_entity_is_refused_and_its_file_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    raw = f'<!DOCTYPE a [<!ENTITY s SYSTEM "{secret.as_uri()}">]>{_START}<Comment>&s;</Comment>{_END}'
    finding = _refused(raw.encode())
    assert finding.rule == "xml-doctype"
    assert "the secret" not in repr(finding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_a_doctype_is_refused_in_every_encoding(encoding: str) -> None:
    declared = "" if encoding == "utf-8" else '<?xml version="1.0" encoding="UTF-16"?>'
    raw = f"{declared}<!DOCTYPE EventMessage>{_START}{_END}"
    assert _refused(raw.encode(encoding)).rule == "xml-doctype"


@pytest.mark.parametrize("depth", [257, 10_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    finding = _refused(b"<a>" * depth + b"</a>" * depth)
    assert finding.rule == "xml-depth"
    assert "256" in finding.text


def test_an_element_crowded_with_attributes_is_refused() -> None:
    crowd = " ".join(f'a{n}="1"' for n in range(DEFAULT_LIMITS.attributes + 1))
    finding = _refused(f"{_START}\n<Comment {crowd}/>{_END}".encode())
    assert (finding.rule, finding.line) == ("xml-attributes", 2)


def test_many_attributes_in_many_elements_are_fine() -> None:
    crowd = '<Comment a="1" b="2"/>' * DEFAULT_LIMITS.attributes
    assert read(f"{_START}{crowd}{_END}".encode()).header.comment == ""


def test_the_limits_of_the_site_count() -> None:
    raw = f"{_START}{_END}".encode()
    assert _refused(raw, Limits(message_bytes=len(raw) - 1)).rule == "message-too-large"
    assert read(raw, Limits(message_bytes=len(raw))).header.verb == "created"
