import pytest

from gateway.codes import search
from gateway.codes.index import REGISTRIES, Registry


def shown(*words: str, registry: Registry | None = None) -> list[str]:
    return [item.shown for item in search(words, registry)]


def test_an_outage_gives_the_power_failure_and_its_relatives_first() -> None:
    assert shown("outage")[:4] == ["3.26.0.85", "3.26.0.216", "3.26.38.47", "3.26.79.47"]


@pytest.mark.parametrize("words", [["OUTAGE"], ["Outage", "voltage"], ["outage voltage"]])
def test_case_does_not_matter_and_all_words_must_be_there(words: list[str]) -> None:
    found = search(words)
    assert "3.26.38.47" in [item.shown for item in found]
    assert all("outage" in f"{item.name} {item.meaning}".casefold() for item in found)


def test_a_code_or_a_part_of_one_is_found() -> None:
    assert shown("26.0.85") == ["3.26.0.85"]
    assert shown("2.5")[0] == "2.5"
    assert shown("*.31.0.23") == ["3.31.0.23"]


def test_a_name_comes_before_what_only_has_the_word() -> None:
    assert shown("Power.Failed")[0] == "3.26.0.85"
    assert shown("disconnect", registry="control") == ["3.31.0.23"]


def test_letters_inside_a_word_count_only_where_nothing_better_is_found() -> None:
    assert not any("message" in item.meaning for item in search(["sag"]))
    assert all("message" in item.meaning or "usage" in item.meaning for item in search(["ssag", "e"]))


@pytest.mark.parametrize("registry", REGISTRIES)
def test_one_kind_alone_is_searched_where_one_is_asked_for(registry: Registry) -> None:
    found = search(["e"], registry)
    assert found
    assert {item.registry for item in found} == {registry}


def test_nothing_is_found_for_nothing_and_for_what_nothing_has() -> None:
    assert search([]) == ()
    assert search(["  "]) == ()
    assert search(["zzz"]) == ()
