import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import Limits
from gateway.message.compression import CompressionError, compress, decode, decompress, is_xml


@given(st.binary(max_size=5_000))
def test_what_was_compressed_comes_back(document: bytes) -> None:
    assert decompress(compress(document)) == document


def test_the_same_document_gives_the_same_text() -> None:
    assert compress(b"<a/>") == compress(b"<a/>")


@pytest.mark.parametrize("text", ["no base64!", "YQ", "YQ==YQ==x", "Y*Q="])
def test_what_is_no_base64_is_told(text: str) -> None:
    with pytest.raises(CompressionError) as refused:
        decode(text)
    assert refused.value.rule == "compressed-base64"


@pytest.mark.parametrize(
    ("packed", "part_of_text"),
    [
        (b"plain", "not gzip"),
        (b"\x1f\x8b\x08broken", "damaged"),
        (gzip.compress(b"a" * 1000)[:-3], "too early"),
        (gzip.compress(b"a") + gzip.compress(b"b"), "More data"),
    ],
)
def test_what_is_no_gzip_is_told(packed: bytes, part_of_text: str) -> None:
    with pytest.raises(CompressionError, match=part_of_text) as refused:
        decompress(base64.b64encode(packed).decode())
    assert refused.value.rule == "compressed-gzip"


@pytest.mark.parametrize(
    "limits", [Limits(decompressed_bytes=2_000_000), Limits(compression_ratio=10), Limits(decompressed_bytes=10)]
)
def test_a_bomb_is_told_by_size_or_ratio(limits: Limits) -> None:
    with pytest.raises(CompressionError) as refused:
        decompress(compress(bytes(3_000_000)), limits)
    assert refused.value.rule == "compressed-bomb"


def test_small_repetitive_documents_are_no_bombs() -> None:
    assert len(decompress(compress(bytes(500_000)), Limits(compression_ratio=2))) == 500_000


@pytest.mark.parametrize(("payload_format", "xml"), [(None, True), ("", True), (" xml ", True), ("CSV", False)])
def test_xml_is_the_default_format(payload_format: str | None, xml: bool) -> None:
    assert is_xml(payload_format) is xml
