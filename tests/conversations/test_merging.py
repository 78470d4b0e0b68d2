import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.conversations import NotMergeable, merged


def root(names: str, tag: str = "{urn:a}MeterReadings") -> etree._Element:
    element: etree._Element = etree.Element(tag)
    for number, name in enumerate(names):
        etree.SubElement(element, f"{{urn:a}}{name}").text = str(number)
    return element


def names(element: etree._Element) -> str:
    return "".join(etree.QName(child).localname for child in element)


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["ab", "ab"], "aabb"),
        (["ac", "abc"], "aabcc"),
        (["ac", "bc"], "abcc"),
        (["a", "b"], "ab"),
        (["", "ab", ""], "ab"),
        (["bd", "abcde"], "abbcdde"),
    ],
)
def test_children_of_one_name_stand_together_in_the_order_of_the_parts(parts: list[str], whole: str) -> None:
    assert names(merged([root(part) for part in parts])) == whole


@given(st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=4))
def test_no_child_is_lost_and_the_parts_stay_as_they_are(parts: list[set[str]]) -> None:
    roots = [root("".join(sorted(part))) for part in parts]
    before = [etree.tostring(one) for one in roots]
    whole = merged(roots)
    assert sorted(names(whole)) == sorted("".join("".join(part) for part in parts))
    assert [etree.tostring(one) for one in roots] == before


@given(st.permutations("abcdef"), st.lists(st.sets(st.sampled_from("abcdef")), max_size=4))
def test_parts_that_keep_an_order_which_one_of_them_shows_in_full_are_merged_in_it(
    order: list[str], parts: list[set[str]]
) -> None:
    whole = merged([root("".join(order)), *(root("".join(sorted(part, key=order.index))) for part in parts)])
    assert names(whole) == "".join(sorted(names(whole), key=order.index))


def test_roots_of_different_names_cannot_be_merged() -> None:
    with pytest.raises(NotMergeable, match="EndDeviceEvents"):
        merged([root("a"), root("a", "{urn:b}EndDeviceEvents")])
    with pytest.raises(NotMergeable):
        merged([])


def test_attributes_and_prefixes_of_the_root_are_kept() -> None:
    one = etree.fromstring(b'<m:R xmlns:m="urn:a" x="1"/>')
    two = etree.fromstring(b'<m:R xmlns:m="urn:a" x="2" y="3"/>')
    whole = merged([one, two])
    assert dict(whole.attrib) == {"x": "1", "y": "3"}
    assert whole.prefix == "m"
