"""Personal data is in none of what is kept of a message, wherever it stood, and in nothing that is said of it."""

import base64
import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.message import Limits, read
from gateway.message.blanking import MARK, blank
from gateway.message.compression import decompress
from gateway.message.mask_paths import NO_MASKS, BadMask, compile_masks
from gateway.message.redacting import redact

M = "http://iec.ch/TC57/2011/schema/message"
MARKER = "Erika-Musterfrau-7"
CUSTOMER = compile_masks({"CustomerConfig": ["//Customer//name", "//Customer/@alias", "//Person"]})


def message(payload: str, noun: str = "CustomerConfig", *, header: str = "", rest: str = "") -> bytes:
    return (
        f'<EventMessage xmlns="{M}"><Header><Verb>created</Verb><Noun>{noun}</Noun>{header}</Header>{rest}'
        f"<Payload>{payload}</Payload></EventMessage>"
    ).encode()


def config(inner: str, noun: str = "CustomerConfig") -> str:
    return f'<{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">{inner}</{noun}>'


def compressed(document: str) -> str:
    return f"<Compressed>{base64.b64encode(gzip.compress(document.encode())).decode()}</Compressed>"


def kept(raw: bytes, masks: object = CUSTOMER, **more: str) -> str:
    body = redact(raw, masks, **more).body  # type: ignore[arg-type]  # always Masks
    assert body is not None
    return body.decode()


NAMED = f"<Customer><Names><name>{MARKER}</name></Names><mRID>C-1</mRID></Customer>"


def test_a_name_is_masked_and_what_stands_beside_it_stays() -> None:
    body = kept(message(config(NAMED)))
    assert MARKER not in body
    assert f"<name>{MARK}</name>" in body
    assert "<mRID>C-1</mRID>" in body


def test_an_element_is_masked_with_its_children_its_attributes_and_the_texts_between() -> None:
    inner = f'<Person id="{MARKER}">{MARKER}<a b="{MARKER}">{MARKER}</a>{MARKER}</Person>and after'
    body = kept(message(config(inner)))
    assert MARKER not in body
    assert "and after" in body


def test_an_attribute_is_masked_where_the_path_names_one() -> None:
    body = kept(message(config(f'<Customer alias="{MARKER}" kind="person"/>')))
    assert MARKER not in body
    assert 'kind="person"' in body


def test_a_path_from_the_root_of_a_payload_leads_nowhere_else() -> None:
    masks = compile_masks({"CustomerConfig": ["/CustomerConfig/comment"]})
    body = kept(message(config(f"<comment>{MARKER}</comment><Customer><comment>kept</comment></Customer>")), masks)
    assert MARKER not in body
    assert "<comment>kept</comment>" in body


def test_layout_stays_and_comments_go_since_nobody_knows_what_they_hold() -> None:
    body = kept(message(config(f"\n  <!-- was {MARKER} --><?old {MARKER}?>{NAMED}\n")))
    assert MARKER not in body
    assert '#">\n  <Customer>' in body


def test_what_compressed_holds_is_masked_and_packed_again() -> None:
    body = kept(message(compressed(config(f"<!-- {MARKER} -->{NAMED}"))))
    text = etree.fromstring(body.encode()).findtext(".//{*}Compressed") or ""
    inside = decompress(text).decode()
    assert MARKER not in inside
    assert MARK in inside


@pytest.mark.parametrize("inside", ["no base64!", base64.b64encode(b"no gzip").decode(), "H4sIAAAAAAAC"])
def test_compressed_that_cannot_be_opened_is_replaced_as_a_whole(inside: str) -> None:
    result = redact(message(f"<Compressed>{inside}</Compressed>"), CUSTOMER)
    assert result.sealed
    assert result.body is not None
    assert f"<Compressed>{MARK}</Compressed>".encode() in result.body


def test_a_compressed_bomb_is_not_unpacked() -> None:
    result = redact(message(compressed(config("x" * 3_000_000))), CUSTOMER, limits=Limits(decompressed_bytes=2_000_000))
    assert result.sealed


def test_a_message_compressed_inside_a_compressed_one_is_not_opened_twice() -> None:
    inner = message(compressed(config(NAMED))).decode()
    result = redact(message(compressed(inner)), CUSTOMER)
    assert result.sealed


def test_binary_of_a_noun_without_masks_stays_as_it_is() -> None:
    firmware = message(
        f"<Compressed>{base64.b64encode(b'firmware').decode()}</Compressed><Format>BINARY</Format>", "EndDeviceFirmware"
    )
    assert redact(firmware, CUSTOMER).body == firmware


def operation(number: int, noun: str, inner: str) -> str:
    return (
        f"<Operation><operationId>{number}</operationId><noun>{noun}</noun><verb>create</verb>"
        f"{config(inner, noun)}</Operation>"
    )


def test_each_operation_of_a_set_is_masked_by_its_own_noun() -> None:
    meter = "<Customer><Names><name>known to the meter</name></Names></Customer>"
    operations = operation(1, "CustomerConfig", NAMED) + operation(2, "MeterConfig", meter)
    body = kept(message(f"<OperationSet>{operations}</OperationSet>", "OperationSet"))
    assert MARKER not in body
    assert "known to the meter" in body


def test_the_parameters_of_a_get_are_masked_too() -> None:
    parameters = f"<Request>{config(NAMED, 'GetCustomerConfig')}</Request>"
    assert MARKER not in kept(message("", "CustomerConfig", rest=parameters))


def test_what_the_envelope_quotes_of_a_masked_value_goes_with_it() -> None:
    header = f"<Comment>for {MARKER}</Comment><Property><Name>who</Name><Value>{MARKER}</Value></Property>"
    reply = f"<Reply><Result>OK</Result><Error><code>0.0</code><details>{MARKER} was there</details></Error></Reply>"
    assert MARKER not in kept(message(config(NAMED), header=header, rest=reply))


@pytest.mark.parametrize("noun", ["MeterReadings", "customerconfig", "Kunden", ""])
def test_a_header_that_says_another_noun_does_not_keep_a_value_from_being_masked(noun: str) -> None:
    assert MARKER not in kept(message(config(NAMED), noun))


def test_a_noun_that_nobody_knows_is_masked_by_all_paths() -> None:
    assert MARKER not in kept(message(config(NAMED, "Kunden"), "Kunden"))


def test_a_message_in_a_soap_envelope_and_in_strange_namespaces_is_masked_as_well() -> None:
    inner = message(config(NAMED)).decode().replace("http://iec.ch/TC57/2011", "http://vendor.example")
    soap = f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'
    assert MARKER not in kept(soap.encode())


def test_a_message_in_another_encoding_is_masked_as_well() -> None:
    raw = ('<?xml version="1.0" encoding="UTF-16"?>' + message(config(NAMED)).decode()).encode("utf-16")
    assert MARKER not in kept(raw)


@pytest.mark.parametrize("raw", [b"", MARKER.encode(), message(config(NAMED))[:-9], b"<!DOCTYPE a><a>x</a>"])
def test_what_cannot_be_read_is_not_kept_only_its_size_and_digest_are(raw: bytes) -> None:
    result = redact(raw, CUSTOMER)
    assert result.body is None
    assert (result.size, result.sha256) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert result.why.startswith("Not kept: personal data is masked here")
    assert MARKER not in result.why


def test_a_noun_without_masks_is_told_at_once_and_stays_byte_for_byte() -> None:
    raw = message(config("<!-- a comment --><Meter><name>M-1</name></Meter>", "MeterConfig"), "MeterConfig")
    assert not CUSTOMER.concern(read(raw))
    assert redact(raw, CUSTOMER).body == raw


def test_masks_concern_their_noun_operation_sets_and_payloads_that_contradict_their_header() -> None:
    assert CUSTOMER.concern(read(message(config(NAMED))))
    assert CUSTOMER.concern(read(message("<OperationSet/>", "OperationSet")))
    assert CUSTOMER.concern(read(message(config(NAMED), "MeterConfig")))
    assert compile_masks({"*": ["//name"]}).concern(read(message("", "MeterConfig")))
    assert not NO_MASKS.concern(read(message(config(NAMED))))


@pytest.mark.parametrize(
    ("noun", "path", "says"),
    [
        ("CustomerConfig", "Customer/name", "Mask 1 of CustomerConfig, 'Customer/name': it must begin with //"),
        ("CustomerConfig", "", "must begin with //"),
        ("CustomerConfig", "//", "step 1 is empty"),
        ("CustomerConfig", "//Customer/", "step 2 is empty"),
        ("CustomerConfig", "///name", "step 1 is empty"),
        ("CustomerConfig", "//c:Customer", "step 1 has a prefix. Write Customer"),
        ("CustomerConfig", "//Customer[1]", "step 1, 'Customer[1]', is no name"),
        ("CustomerConfig", "//@id/name", "step 1 is an attribute, and nothing can follow one"),
        ("CustomerConfig", "//Customer//@id", "step 2 must follow a single /"),
        ("CustomerConfig", "//name/text()", "step 2, 'text()', is no name"),
        ("CustomerConfig", "/@id", "Write //@id"),
        ("CustomerConfg", "//name", "no such noun; did you mean CustomerConfig?"),
    ],
)
def test_a_path_that_cannot_be_used_is_refused_with_the_place_and_what_to_write(
    noun: str, path: str, says: str
) -> None:
    with pytest.raises(BadMask) as caught:
        compile_masks({noun: [path]})
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"'{MARKER}' is no date", f"'{MARK}' is no date"),
        ("the value 'Anna  Maria\n Berg' of name", f"the value '{MARK}' of name"),
        ("the value 'Anna Maria...' of name", f"the value '{MARK}...' of name"),
        ("the name R&amp;B &lt;1&gt; of", f"the name {MARK} of"),
        ("R&B <1>", MARK),
        ("line 7, not 77 or 1.7.", f"line {MARK}, not 77 or 1.{MARK}."),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_a_reason_is_told_without_the_values_that_it_quotes(text: str, wanted: str) -> None:
    assert blank(text, {MARKER, "Anna Maria Berg", "R&B <1>", "7"}) == wanted


def test_values_that_overlap_in_a_text_leave_nothing_of_themselves() -> None:
    assert blank("say abcdefgh!", {"abcdef", "cdefgh"}) == f"say {MARK}!"


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=4, max_size=200), st.data())
def test_no_beginning_of_a_value_that_a_cut_quotation_shows_stays(value: str, data: st.DataObject) -> None:
    shown = value[: data.draw(st.integers(4, len(value)))]
    assert "..." in value or shown not in blank(f"is «{shown}... of", {value}).replace("is «", "").replace("... of", "")


NAMES = st.sampled_from(["Customer", "name", "Person", "Names", "mRID", "a"])


@st.composite
def trees(draw: st.DrawFn, depth: int = 4, masked: bool = False, below: str = "") -> str:
    name = draw(NAMES)
    hidden = masked or name == "Person" or (name == "name" and "/Customer" in below)
    text = MARKER if hidden and draw(st.booleans()) else draw(st.sampled_from(["", "ordinary"]))
    alias = f' alias="{MARKER if hidden or name == "Customer" else "ordinary"}"' if draw(st.booleans()) else ""
    children = draw(st.lists(trees(depth - 1, hidden, f"{below}/{name}"), max_size=3)) if depth else []
    between = MARKER if hidden else "plain"
    comment = f"<!--{MARKER}-->" if draw(st.booleans()) else ""
    return f"<{name}{alias}>{text}{comment}{between.join(children)}</{name}>"


@given(st.lists(trees(), max_size=3), st.sampled_from(["plain", "set", "compressed", "request"]), st.booleans())
def test_a_marker_in_masked_places_is_nowhere_in_what_is_kept(parts: list[str], form: str, quoted: bool) -> None:
    body = "".join(parts)
    payload = config(body)
    hidden = MARKER in body.replace(f"<!--{MARKER}-->", "")
    comment = f"<Comment>about {MARKER}</Comment>" if quoted and hidden else ""
    raw = {
        "plain": lambda: message(payload, header=comment),
        "set": lambda: message(
            f"<OperationSet>{operation(1, 'MeterConfig', '<x/>')}{operation(2, 'CustomerConfig', body)}</OperationSet>",
            "OperationSet",
            header=comment,
        ),
        "compressed": lambda: message(compressed(payload), header=comment),
        "request": lambda: message("", rest=f"<Request>{config(body, 'GetCustomerConfig')}</Request>", header=comment),
    }[form]()
    result = redact(raw, CUSTOMER)
    assert result.body is not None
    assert MARKER.encode() not in result.body
    text = etree.fromstring(result.body).findtext(".//{*}Compressed")
    assert text is None or MARKER.encode() not in decompress(text)
    assert not hidden or MARKER not in blank(f"a reason about {MARKER}", result.values)
