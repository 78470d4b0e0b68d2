import pytest
from lxml import etree

from gateway.message.places import local_name, xpath_of

_TREE = etree.fromstring('<a xmlns="urn:a"><b/><c/><b><d xmlns=""/><d/></b></a>')


@pytest.mark.parametrize(
    ("path", "xpath"),
    [
        (".", "/a"),
        ("{urn:a}c", "/a/c"),
        ("{urn:a}b[1]", "/a/b[1]"),
        ("{urn:a}b[2]/d", "/a/b[2]/d"),
        ("{urn:a}b[2]/{urn:a}d", "/a/b[2]/d"),
    ],
)
def test_the_path_of_an_element_is_readable(path: str, xpath: str) -> None:
    element = _TREE.find(path)
    assert element is not None
    assert xpath_of(element) == xpath


def test_a_name_is_told_without_its_namespace() -> None:
    assert local_name(_TREE) == "a"


def test_a_comment_has_no_place() -> None:
    with pytest.raises(AttributeError):
        xpath_of(etree.Comment("x"))
