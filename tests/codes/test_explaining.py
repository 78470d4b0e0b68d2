"""Whatever a user types: it is told what it is, or why it is nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes import BadCode, explain
from gateway.codes.reply_codes import UNTOLD
from gateway.codes.tables import rows, table

ENERGY = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (ENERGY, [("reading", ENERGY)]),
        ("3.26.0.85", [("event", "3.26.0.85")]),
        (" 3.26.0.85 ", [("event", "3.26.0.85")]),
        ("3.31.0.23", [("control", "3.31.0.23")]),
        ("3.31.0.76", [("event", "3.31.0.76")]),
        ("3.31.0.999", [("event", "3.31.0.999"), ("control", "3.31.0.999")]),
        ("*.26.0.85", [("event", "*.26.0.85")]),
        ("*.26.*.*", [("event", "*.26.*.*")]),
        ("*.31.*.*", [("event", "*.31.*.*"), ("control", "*.31.*.*")]),
        ("2.5.259", [("quality", "2.5.259")]),
        ("*.5.*", [("quality", "*.5.*")]),
        ("2.5", [("reply", "2.5")]),
        ("5.259", [("quality", "*.5.259")]),
        ("6.1", [("reply", "6.1"), ("quality", "*.6.1")]),
        ("8.77", [("reply", "8.77"), ("quality", "*.8.77")]),
        ("SIM8011", [("reply", "SIM8011")]),
        ("Power.Failed", [("event", "*.26.0.85")]),
        ("rcdswitch.disconnect", [("control", "*.31.0.23")]),
        ("knownMissingRead", [("quality", "*.5.259")]),
        ("InvalidNoun", [("reply", "2.5")]),
        ("kWh delivered", [("reading", ENERGY)]),
        ("created", [("word", "created"), ("event", "action 83")]),
        ("Failed", [("word", "FAILED"), ("event", "action 85")]),
        ("CATASTROPHIC", [("word", "CATASTROPHIC")]),
        ("Name.NameType", [("word", "Name.NameType")]),
    ],
)
def test_the_form_of_a_text_says_what_it_may_be(asked: str, found: list[tuple[str, str]]) -> None:
    assert [(explanation.registry, explanation.code) for explanation in explain(asked)] == found


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ("", "it is empty"),
        ("3.x.0.85", "part 2 (domain) is 'x', which is no number"),
        ("x.26.0.85", "part 1 (device) is 'x', which is no number"),
        (f"*.{'9' * 10}.0.85", "part 2 is '9999999999', neither a number nor *"),
        ("*.x.0.85", "part 2 is 'x', neither a number nor *"),
        ("1.x", "it has 2 parts, as a reply code has, and they are not two numbers without leading zeros"),
        ("1.2.3.4.5", "it has 5 parts; a reading type has 18, an event or control 4, a quality code 3"),
        (ENERGY.removesuffix(".0"), "it has 17 parts; a reading type has 18, an event or control 4, a quality code 3"),
        (
            "Power.Faild",
            "it has not the form of a code, and nothing that is known has this name; did you mean Power.Failed?",
        ),
        ("what?", "it has not the form of a code, and nothing that is known has this name"),
    ],
)
def test_what_is_no_code_is_refused_with_the_reason(asked: str, fault: str) -> None:
    with pytest.raises(BadCode) as refused:
        explain(asked)
    assert str(refused.value) == fault


@given(text=st.one_of(st.text(max_size=40), st.from_regex(r"([0-9]{1,3}|\*)(\.([0-9]{1,3}|\*)){1,3}", fullmatch=True)))
def test_any_text_is_explained_or_refused_with_a_reason(text: str) -> None:
    try:
        found = explain(text)
    except BadCode as error:
        found = ()
        assert str(error)  # noqa: PT017 - both ways are right, and each is checked
    assert all(explanation.sentence.endswith(".") for explanation in found)


def test_every_listed_event_and_control_is_explained_by_code_and_by_name() -> None:
    for name, registry in (("events", "event"), ("controls", "control")):
        for key, entry in table(name).items():
            asked = (key, key.replace("*", "3"), entry.name)
            for explanation in (explain(text)[0] for text in asked):
                assert (explanation.registry, explanation.name) == (registry, entry.name)
                assert explanation.known
                assert explanation.confidence == entry.confidence
                assert entry.columns["meaning"] in explanation.sentence


def test_every_number_of_an_event_or_control_is_explained_with_all_its_names() -> None:
    for position, field in enumerate(("device", "domain", "subdomain", "action")):
        for key, entry in table(f"event_{field}").items():
            numbers = ["3", "26", "0", "85"]
            numbers[position] = key
            part = explain(".".join(numbers))[0].parts[position]
            assert part.name == entry.name
            assert all(other.name in part.note for other in entry.others)


def test_every_quality_code_is_explained_with_and_without_its_system() -> None:
    for key, entry in table("quality_codes").items():
        for system in table("quality_system"):
            (explanation,) = explain(f"{system}.{key}")
            assert (explanation.name, explanation.known) == (entry.name, True)
            assert entry.label.casefold() in explanation.sentence.casefold()
        assert entry.name in [explanation.name for explanation in explain(key)]


def test_every_reply_code_is_explained_with_its_category_and_an_inferred_result() -> None:
    for key, entry in table("reply_codes").items():
        told = explain(key)[0]
        assert (told.registry, told.name) == ("reply", entry.name)
        assert f"Result {entry.columns['result']} [inferred]" in told.sentence
        assert table("reply_categories")[key.partition(".")[0]].label in told.sentence


@pytest.mark.parametrize("code", UNTOLD)
def test_a_reply_code_whose_meaning_nobody_told_us_says_so(code: str) -> None:
    told = explain(code)[0]
    assert told.registry == "reply"
    assert "the standard has it, but its meaning is not known to us" in told.sentence


def test_every_word_of_messages_is_explained() -> None:
    for row in rows("words"):
        told = [explanation.sentence for explanation in explain(row["word"])]
        assert any(row["meaning"] in sentence and row["what"] in sentence for sentence in told)


def test_one_source_alone_and_other_editions_are_said() -> None:
    assert "Found in one source only." in explain("3.23.0.26")[0].notes
    assert "Found in one source only." in explain("2.4.16")[0].notes
    assert "Found in one source only." in explain("2.5")[0].notes
    assert (
        "This combination was found in one source only." in explain("11.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0")[0].notes
    )
    assert explain("2.9.0")[0].parts[1].note == "edition 1 only, one source"
    assert explain("3.10.73.298")[0].parts[3].note == "added later, one source"
    assert explain("3.6.0.27")[0].parts[3].note == "also ChangeOut (deprecated name, one source)"
    assert "deprecated" in explain("subscribe")[0].notes[0].casefold()
    assert explain("3.26.0.85")[0].notes == ("It is not known as a control type (EndDeviceControlType).",)


def test_a_pattern_says_how_many_it_stands_for() -> None:
    notes = explain("*.8.*.*")[0].notes
    assert notes[0].startswith("Stands for 5 events of the list: Demand.ResetFailed, Demand.Mismatched, ")


def test_a_pattern_of_reading_types_says_what_it_asks_for() -> None:
    (told,) = explain("*.0.2.*.*.*.333.*.*.*.*.*.*.*.*.3.72.*")
    assert told.sentence == (
        "Any reading type with aggregate none, measuring period 15-minute, measurement kind 333 (not known), "
        "multiplier kilo, unit of measure watt hours."
    )
