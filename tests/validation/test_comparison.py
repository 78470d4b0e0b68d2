from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.validation import SchemaSet
from gateway.validation.comparison import Side, compare
from gateway.validation.declarations import Element

_SPACE = "http://vendor.example/2024/Weather#"
_KINDS = {
    "text": 'type="xs:string"',
    "token": 'type="xs:token"',
    "number": 'type="xs:integer"',
    "decimal": 'type="xs:decimal"',
    "date": 'type="xs:date"',
}


def _schema(content: str, types: str = "", space: str = _SPACE, form: str = "qualified") -> bytes:
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:w="{space}" targetNamespace="{space}" '
        f'elementFormDefault="{form}"><xs:element name="Weather"><xs:complexType>{content}</xs:complexType>'
        f"</xs:element>{types}</xs:schema>"
    ).encode()


def _root(raw: bytes, name: str = "Weather") -> Element:
    schemas = SchemaSet({"weather.xsd": raw})
    [space] = schemas.namespaces
    model = schemas.model(space)
    assert model is not None
    root = model.element([f"{{{space}}}{name}"])
    assert root is not None
    return root


def _sequence(*elements: str) -> str:
    return f"<xs:sequence>{''.join(elements)}</xs:sequence>"


def _element(name: str, kind: str = 'type="xs:string"', minimum: int = 0, maximum: str = "1") -> str:
    return f'<xs:element name="{name}" {kind} minOccurs="{minimum}" maxOccurs="{maximum}"/>'


def _said(theirs: str, ours: str, types: tuple[str, str] = ("", "")) -> list[tuple[str, str, str]]:
    differences = compare(_root(_schema(theirs, types[0])), _root(_schema(ours, types[1])))
    return [(str(one.side), one.path, one.text) for one in differences]


@pytest.mark.parametrize(
    "name", ["MeterReadings", "MeterConfig", "MeterServiceRequests", "CustomerMeterDataSet", "EndDeviceControls"]
)
def test_a_schema_allows_the_same_as_itself(sources: Mapping[str, bytes], name: str) -> None:
    raw = sources[f"{name}.xsd"]
    assert compare(_root(raw, name), _root(raw, name)) == []


def test_versions_in_other_namespaces_are_compared_by_their_names(sources: Mapping[str, bytes]) -> None:
    raw = sources["MeterReadings.xsd"]
    assert compare(_root(raw.replace(b"/2011/", b"/2015/"), "MeterReadings"), _root(raw, "MeterReadings")) == []


def test_an_element_that_one_has_alone_is_told_with_what_it_holds() -> None:
    assert _said(_sequence(_element("rain"), _element("sun", maximum="unbounded")), _sequence(_element("rain"))) == [
        ("theirs", "Weather/sun", "an element that ours does not have: text, any number of times")
    ]


def test_an_element_that_only_theirs_demands_is_told_from_both_ends() -> None:
    assert _said(_sequence(_element("rain", minimum=1)), _sequence()) == [
        ("theirs", "Weather/rain", "an element that ours does not have: text"),
        ("ours", "Weather/rain", "may be left out, which theirs does not allow"),
    ]


def test_looser_and_tighter_occurrence_go_to_the_side_that_allows_more() -> None:
    theirs = _sequence(_element("rain", minimum=0), _element("sun", maximum="1"))
    ours = _sequence(_element("rain", minimum=1), _element("sun", maximum="3"))
    assert _said(theirs, ours) == [
        ("theirs", "Weather/rain", "may be left out, which ours does not allow"),
        ("ours", "Weather/sun", "may stand up to 3 times, not only once"),
    ]


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("text", "number", [("theirs", "text (in ours: whole number)")]),
        ("number", "decimal", [("ours", "decimal number (in theirs: whole number)")]),
        ("token", "text", []),
        ("date", "number", [("theirs", "date (in ours: whole number)"), ("ours", "whole number (in theirs: date)")]),
    ],
)
def test_a_wider_type_is_told_apart_from_another_one(theirs: str, ours: str, expected: list[tuple[str, str]]) -> None:
    said = _said(_sequence(_element("rain", _KINDS[theirs])), _sequence(_element("rain", _KINDS[ours])))
    assert [(side, text) for side, _, text in said] == expected


def _list(*values: str) -> str:
    items = "".join(f'<xs:enumeration value="{value}"/>' for value in values)
    return f'<xs:simpleType name="Kind"><xs:restriction base="xs:string">{items}</xs:restriction></xs:simpleType>'


def test_values_of_lists_are_told_by_name() -> None:
    content = _sequence(_element("rain", 'type="w:Kind"'))
    assert _said(content, content, (_list("a", "b", "c"), _list("a", "d"))) == [
        ("theirs", "Weather/rain", "the values 'b' and 'c'"),
        ("ours", "Weather/rain", "the value 'd'"),
    ]
    assert _said(_sequence(_element("rain")), content, ("", _list("a", "d"))) == [
        ("theirs", "Weather/rain", "text, not only a or d")
    ]


def test_limits_are_told_with_both_numbers() -> None:
    def limited(length: int) -> str:
        facet = f'<xs:restriction base="xs:string"><xs:maxLength value="{length}"/></xs:restriction>'
        return f'<xs:simpleType name="Kind">{facet}</xs:simpleType>'

    content = _sequence(_element("rain", 'type="w:Kind"'))
    assert _said(content, content, (limited(20), limited(10))) == [
        ("theirs", "Weather/rain", "at most 20 characters (in ours: at most 10 characters)")
    ]
    assert _said(content, _sequence(_element("rain")), (limited(20), "")) == [
        ("ours", "Weather/rain", "no limit (in theirs: at most 20 characters)")
    ]


def test_an_element_that_moved_is_told_with_what_it_follows() -> None:
    theirs = _sequence(_element("sun"), _element("rain"), _element("snow"))
    ours = _sequence(_element("rain"), _element("snow"), _element("sun"))
    assert _said(theirs, ours) == [
        ("theirs", "Weather/sun", "stands first, before rain"),
        ("ours", "Weather/sun", "stands after snow"),
    ]


def test_another_order_throughout_is_told_once() -> None:
    elements = [_element(name) for name in "abcdefgh"]
    assert _said(_sequence(*elements[::-1]), _sequence(*elements)) == [
        ("theirs", "Weather", "8 elements in another order: h, g, f, e and so on"),
        ("ours", "Weather", "8 elements in another order: a, b, c, d and so on"),
    ]


def test_a_choice_against_a_sequence_is_told() -> None:
    elements = _element("rain"), _element("sun")
    choice = f"<xs:choice>{''.join(elements)}</xs:choice>"
    assert _said(_sequence(*elements), choice) == [
        ("theirs", "Weather", "rain and sun together (in ours: one of them)")
    ]
    mixed = choice.replace("<xs:choice>", '<xs:choice minOccurs="0" maxOccurs="unbounded">')
    texts = {(side, text) for side, _, text in _said(mixed, _sequence(*elements))}
    assert ("theirs", "rain and sun in any order") in texts
    assert not [text for side, text in texts if side == "ours"]


def test_a_group_that_comes_whole_or_not_at_all_is_told_by_what_the_other_lets_stand_alone() -> None:
    both = f'<xs:sequence minOccurs="0">{_element("rain", minimum=1)}{_element("sun", minimum=1)}</xs:sequence>'
    assert _said(_sequence(_element("rain"), _element("sun")), both) == [
        ("theirs", "Weather", "rain alone, which ours does not allow")
    ]


def test_a_choice_that_may_be_left_out_is_told() -> None:
    choice = f"<xs:choice>{_element('rain', minimum=1)}{_element('sun', minimum=1)}</xs:choice>"
    assert _said(choice.replace("<xs:choice>", '<xs:choice minOccurs="0">'), choice) == [
        ("theirs", "Weather", "no elements at all, which ours does not allow")
    ]


def test_a_choice_written_in_another_order_is_the_same() -> None:
    one, other = _element("rain", minimum=1), _element("sun", minimum=1)
    assert _said(f"<xs:choice>{one}{other}</xs:choice>", f"<xs:choice>{other}{one}</xs:choice>") == []


def test_attributes_are_compared() -> None:
    assert _said(
        '<xs:attribute name="ref" type="xs:string" use="required"/><xs:attribute name="kind" type="xs:integer"/>',
        '<xs:attribute name="ref" type="xs:string"/>',
    ) == [
        ("ours", "Weather/@ref", "may be left out, which theirs does not allow"),
        ("theirs", "Weather/@kind", "an attribute that ours does not have: whole number"),
    ]


def test_text_against_elements_and_open_content_are_told() -> None:
    inner = '<xs:element name="rain"><xs:complexType><xs:sequence><xs:any processContents="skip"/></xs:sequence>'
    assert _said(_sequence(f"{inner}</xs:complexType></xs:element>"), _sequence(_element("rain", minimum=1))) == [
        ("theirs", "Weather/rain", "holds elements, unlike ours"),
        ("ours", "Weather/rain", "holds text, unlike theirs"),
    ]
    assert _said("<xs:sequence><xs:any minOccurs='0'/></xs:sequence>", _sequence()) == [
        ("theirs", "Weather", "elements that the schema does not name")
    ]


def test_elements_without_a_namespace_are_told_once() -> None:
    content = _sequence(_element("rain"), _element("sun"))
    differences = compare(_root(_schema(content, form="unqualified")), _root(_schema(content)))
    assert [(str(one.side), one.path, one.text) for one in differences] == [
        ("theirs", "Weather", "elements without a namespace"),
        ("ours", "Weather", "elements in the namespace"),
    ]


def test_what_differs_in_a_shared_type_is_told_once_with_the_number_of_its_places() -> None:
    def place(*elements: str) -> str:
        return f'<xs:complexType name="Place">{_sequence(*elements)}</xs:complexType>'

    content = _sequence(*(_element(name, 'type="w:Place"') for name in ("a", "b", "c")))
    theirs, ours = (
        _root(_schema(content, place(_element("x"), _element("y")))),
        _root(_schema(content, place(_element("x")))),
    )
    [difference] = compare(theirs, ours)
    assert (difference.path, difference.places) == ("Weather/a/y", 3)


def test_a_type_that_holds_itself_is_compared() -> None:
    def part(*elements: str) -> str:
        inner = _sequence(*elements, _element("part", 'type="w:Part"'))
        return f'<xs:complexType name="Part">{inner}</xs:complexType>'

    content = _sequence(_element("part", 'type="w:Part"'))
    theirs, ours = _root(_schema(content, part(_element("x")))), _root(_schema(content, part()))
    [difference] = compare(theirs, ours)
    assert (difference.side, difference.path) == (Side.THEIRS, "Weather/part/x")


@st.composite
def _contents(draw: st.DrawFn) -> str:
    """Write a small content model: a sequence or a choice of a, b and c, perhaps with a choice inside."""

    def element(name: str) -> str:
        kind = draw(st.sampled_from(sorted(_KINDS)))
        return _element(name, _KINDS[kind], draw(st.integers(0, 1)), draw(st.sampled_from(["1", "2", "unbounded"])))

    names = draw(st.lists(st.sampled_from("abc"), unique=True, min_size=1))
    occurs = draw(st.sampled_from(["", ' minOccurs="0"', ' maxOccurs="2"', ' minOccurs="0" maxOccurs="unbounded"']))
    inner = [element(name) for name in names]
    if len(inner) == 3 and draw(st.booleans()):
        inner = [inner[0], f"<xs:choice{occurs}>{''.join(inner[1:])}</xs:choice>"]
        occurs = ""
    group = draw(st.sampled_from(["sequence", "choice"]))
    return f"<xs:{group}{occurs}>{''.join(inner)}</xs:{group}>"


_DOCUMENTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "5", "5.5", "x y", "2024-01-01"])), max_size=5
)


@settings(deadline=None)
@given(theirs=_contents(), ours=_contents(), documents=st.lists(_DOCUMENTS, min_size=1, max_size=8))
def test_whatever_theirs_accepts_and_ours_refuses_is_told(
    theirs: str, ours: str, documents: list[list[tuple[str, str]]]
) -> None:
    their_raw, our_raw = _schema(theirs), _schema(ours)
    try:
        accept_theirs, accept_ours = (etree.XMLSchema(etree.fromstring(raw)) for raw in (their_raw, our_raw))
    except etree.XMLSchemaParseError:
        return  # two ways to read one document: no schema
    sides = {one.side for one in compare(_root(their_raw), _root(our_raw))}
    for document in documents:
        body = "".join(f"<{name}>{text}</{name}>" for name, text in document)
        element = etree.fromstring(f'<Weather xmlns="{_SPACE}">{body}</Weather>')
        valid = accept_theirs.validate(element), accept_ours.validate(element)
        if valid == (True, False):
            assert Side.THEIRS in sides, body
        if valid == (False, True):
            assert Side.OURS in sides, body


@settings(deadline=None)
@given(theirs=_contents(), ours=_contents())
def test_seen_from_the_other_end_the_same_is_said_the_other_way_round(theirs: str, ours: str) -> None:
    try:
        one, other = _root(_schema(theirs)), _root(_schema(ours))
    except AssertionError:
        return  # xmlschema refuses what lxml would: see above
    # Of two elements that changed places, either may be said to have moved.
    there = {(d.side, d.kind, d.path) for d in compare(one, other) if d.kind not in ("order", "choice")}
    back = {(d.side.other, d.kind, d.path) for d in compare(other, one) if d.kind not in ("order", "choice")}
    assert there == back
