from pathlib import Path

import pytest

from gateway import resources
from gateway.resources import ResourceError

FINAL = "http://iec.ch/TC57/2011/schema/message"


def _xsd(folder: Path, name: str, namespace: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}"/>', encoding="utf-8"
    )
    return file


def _namespaces(sources: dict[str, bytes]) -> dict[str, str]:
    return {name: resources.target_namespace(raw, name) for name, raw in sources.items()}


def test_the_shipped_schemas_hold_both_envelopes_and_the_nouns() -> None:
    namespaces = set(_namespaces(resources.schema_sources()).values())
    assert {FINAL, "http://www.iec.ch/TC57/2011/schema/message", "http://iec.ch/TC57/2011/MeterReadings#"} <= namespaces


def test_the_shipped_routes_and_examples_are_found() -> None:
    assert "oms.toml" in resources.route_sources()
    assert resources.examples().is_dir()


def test_a_schema_of_the_site_replaces_ours_for_its_namespace(tmp_path: Path) -> None:
    theirs = _xsd(tmp_path, "official/Message.xsd", FINAL)
    sources = resources.schema_sources(tmp_path)
    of_final = [name for name, namespace in _namespaces(sources).items() if namespace == FINAL]
    assert of_final == ["official/Message.xsd"]
    assert sources["official/Message.xsd"] == theirs.read_bytes()
    assert len(sources) == len(resources.schema_sources())


def test_a_schema_of_the_site_adds_a_namespace_even_under_a_file_name_of_ours(tmp_path: Path) -> None:
    _xsd(tmp_path, "v2/MeterReadings.xsd", "urn:site")
    namespaces = _namespaces(resources.schema_sources(tmp_path))
    assert namespaces["v2/MeterReadings.xsd"] == "urn:site"
    assert namespaces["MeterReadings.xsd"] == "http://iec.ch/TC57/2011/MeterReadings#"
    _xsd(tmp_path, "MeterReadings.xsd", "urn:other")
    assert {*namespaces.values(), "urn:other"} == set(_namespaces(resources.schema_sources(tmp_path)).values())


def test_folders_with_files_of_the_same_name_keep_all_of_them_beside_each_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        _xsd(tmp_path / name, "main.xsd", f"urn:{name}")
        _xsd(tmp_path / name, "types.xsd", "")
    namespaces = _namespaces(resources.schema_sources(tmp_path / "a", tmp_path / "b"))
    assert (namespaces["shipped/main.xsd"], namespaces["main.xsd"]) == ("urn:a", "urn:b")
    assert {"shipped/types.xsd", "types.xsd"} <= namespaces.keys()


def test_a_schema_s_own_word_on_what_it_rests_on_is_found() -> None:
    assert (
        resources.stated_basis(b"<!-- X. Confidence: read\n  from v1.2 of Y. More. --><xs:schema/>")
        == "read from v1.2 of Y"
    )
    assert resources.stated_basis(b"<!-- Nothing. --><xs:schema/>") == ""
    assert resources.stated_basis(b"<xs:schema/>") == ""


def test_the_last_of_several_folders_wins(tmp_path: Path) -> None:
    _xsd(tmp_path / "a", "a.xsd", FINAL)
    _xsd(tmp_path / "b", "b.xsd", FINAL)
    sources = resources.schema_sources(tmp_path / "a", tmp_path / "b")
    assert "b.xsd" in sources
    assert "a.xsd" not in sources


def test_a_folder_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"gone, does not exist"):
        resources.schema_sources(tmp_path / "gone")
    with pytest.raises(ResourceError, match=r"has no file \*\.xsd"):
        resources.schema_sources(tmp_path)
    with pytest.raises(ResourceError, match=r"has no file \*\.toml"):
        resources.route_sources(tmp_path)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ResourceError, match="is no folder"):
        resources.route_sources(file)


def test_a_file_that_is_no_schema_is_named_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "odd.xsd"
    for content, reason in (
        (b"", "not well-formed"),
        (b"junk", "not well-formed"),
        (b"<wsdl/>", "root element is wsdl"),
    ):
        file.write_bytes(content)
        with pytest.raises(ResourceError, match=reason) as error:
            resources.schema_sources(tmp_path)
        assert "odd.xsd" in str(error.value)


def test_routing_tables_come_sorted_by_file_name_and_must_be_text(tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("b", encoding="utf-8")
    (tmp_path / "a.toml").write_text("ä", encoding="utf-8")
    assert list(resources.route_sources(tmp_path).items()) == [("a.toml", "ä"), ("b.toml", "b")]
    (tmp_path / "c.toml").write_bytes(b"\xff")
    with pytest.raises(ResourceError, match=r"c\.toml is not UTF-8 text"):
        resources.route_sources(tmp_path)
