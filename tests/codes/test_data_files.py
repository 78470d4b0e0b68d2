"""The data files are whole: every row can be read, is named once, and what it refers to exists."""

import csv
from collections import Counter
from importlib.resources import files

import pytest

from gateway.codes import (
    CodeKind,
    ControlType,
    EventType,
    QualityCode,
    ReadingType,
    ReplyCode,
    parse_pattern,
    result_of,
)
from gateway.codes.tables import CODE_TABLES, OTHER_TABLES, PAIR_TABLES, PART_TABLES, rows, table
from gateway.message.verbs import DEPRECATED, EVENT_OF, Verb

TABLES = (*PART_TABLES, *PAIR_TABLES, *CODE_TABLES, *OTHER_TABLES)
SURE = {"A", "B", "C"}
EDITIONS = {
    *("ed2", "ed2-draft-2013", "ed2 (2014+ lists)", "later addition (single source)"),
    *("ed1 (unused in ed2)", "not stated"),
}
SEVERAL_NAMES = {
    "event_action": {"27", "31", "84"},
    "event_subdomain": {"126", "134", "135", "295", "296"},
}
"""Numbers that have more than one name: deprecated ones, aliases."""
OTHER_NAMES = {"*.6.0.27": "ChangeOut"}
"""Listed codes whose name is not that of their parts: action 27 is called otherwise since."""


def test_every_file_is_a_table_that_is_used() -> None:
    found = {file.name.removesuffix(".csv") for file in files("gateway.codes").joinpath("data").iterdir()}
    assert found == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_has_all_its_columns_and_no_spaces_around_them(name: str) -> None:
    lines = files("gateway.codes").joinpath("data", f"{name}.csv").read_text("utf-8").splitlines()
    head, *values = csv.reader(lines)
    assert values
    assert all(len(row) == len(head) for row in values)
    assert all(value == value.strip() for row in (head, *values) for value in row)


@pytest.mark.parametrize("name", TABLES)
def test_every_row_says_how_sure_it_is(name: str) -> None:
    for row in rows(name):
        if name != "reading_phase_bits":
            assert row["confidence"] in SURE
        assert row.get("edition", "not stated") in EDITIONS


@pytest.mark.parametrize("name", [name for name in TABLES if name != "words"])
def test_a_number_has_one_name_but_where_the_sources_give_more(name: str) -> None:
    several = {key for key, entry in table(name).items() if entry.others}
    assert several == SEVERAL_NAMES.get(name, set())
    for key in several:
        names = [table(name)[key], *table(name)[key].others]
        assert len({entry.name for entry in names}) == len(names)
        assert [entry.preferred for entry in names] in (["yes", "no"], ["alias", "alias"], ["yes", "no", "no"])


@pytest.mark.parametrize("name", PART_TABLES)
def test_the_numbers_of_a_part_are_numbers_that_a_code_may_have(name: str) -> None:
    low, high = (-24, 24) if name == "reading_multiplier" else (0, 999_999_999)
    for key in table(name):
        assert str(int(key)) == key
        assert low <= int(key) <= high


@pytest.mark.parametrize(("name", "kind"), [("events", CodeKind.EVENT), ("controls", CodeKind.CONTROL)])
def test_listed_events_and_controls_are_patterns_open_in_their_device_alone(name: str, kind: CodeKind) -> None:
    for key in table(name):
        assert str(parse_pattern(kind, key)) == key
        assert [part == "*" for part in key.split(".")] == [True, False, False, False]


@pytest.mark.parametrize("name", ["events", "controls"])
def test_the_name_of_a_listed_code_is_made_of_the_names_of_its_parts(name: str) -> None:
    for key, entry in table(name).items():
        _, *numbers = key.split(".")
        tables = [table(f"event_{part}") for part in ("domain", "subdomain", "action")]
        parts = [known[number] for known, number in zip(tables, numbers, strict=True) if number != "0"]
        names = [part.name for part in parts]
        if key in OTHER_NAMES:
            assert OTHER_NAMES[key] in {other.name for other in parts[-1].others}
            names[-1] = OTHER_NAMES[key]
        assert entry.name == ".".join(names)


def test_a_name_is_listed_once() -> None:
    for name in ("events", "controls", "quality_codes", "reply_codes"):
        names = Counter(entry.name for entry in table(name).values())
        assert not [listed for listed, times in names.items() if times > 1]


def test_events_that_answer_a_control_are_of_its_domain_and_end_as_they_should() -> None:
    for entry in table("controls").values():
        success, failure = entry.columns["success"], entry.columns["failure"]
        assert bool(success) is bool(failure)
        for pattern in filter(None, (success, failure)):
            event = EventType.parse(pattern.replace("*", "3"))
            assert "(" not in event.name
            assert pattern.split(".")[1] == entry.key.split(".")[1]
            assert event.name.endswith("Failed") is (pattern == failure)


def test_an_event_answers_one_control_with_one_outcome() -> None:
    answered = Counter(row[column] for row in rows("controls") for column in ("success", "failure") if row[column])
    assert set(answered.values()) == {1}


def test_quality_codes_are_of_known_categories() -> None:
    for key in table("quality_codes"):
        category, _, _ = key.partition(".")
        assert category in table("quality_category")
        assert str(QualityCode.parse(f"2.{key}")) == f"2.{key}"


def test_reply_codes_and_the_enum_agree() -> None:
    listed = {key: entry.name.casefold() for key, entry in table("reply_codes").items()}
    assert listed == {code.value: code.name.replace("_", "").casefold() for code in ReplyCode}
    for key, entry in table("reply_codes").items():
        assert entry.columns["result"] == result_of(ReplyCode(key))
        assert ReplyCode(key).category == table("reply_categories")[key.partition(".")[0]].name


def test_the_examples_of_reading_types_are_decoded_by_the_tables() -> None:
    decoded_otherwise = {"1": "tou1", "2": "tou2"}
    for key, entry in table("reading_examples").items():
        code = ReadingType.parse(key)
        told = entry.columns["decoded"]
        for field in ("macro_period", "aggregate", "measuring_period", "accumulation", "flow_direction", "commodity"):
            number = str(getattr(code, field))
            assert number == "0" or table(f"reading_{field}")[number].name in told.split()
        assert table("reading_measurement_kind")[str(code.measurement_kind)].name in told.split()
        assert code.tou == 0 or decoded_otherwise[str(code.tou)] in told.split()
        assert code.phases == 0 or f"phase {table('reading_phases')[str(code.phases)].name}" in told
        unit = table("reading_unit_of_measure")[str(code.unit_of_measure)].columns["cim_symbol"]
        prefix = table("reading_multiplier")[str(code.multiplier)].columns["symbol"]
        assert told.endswith(f"({prefix}{unit})")


def test_phases_are_the_sum_of_their_bits() -> None:
    value = {entry.name: int(key) for key, entry in table("reading_phase_bits").items()}
    for key, entry in table("reading_phases").items():
        assert int(key) == sum(value[bit] for bit in entry.columns["bits"].split("+") if bit)


def test_a_period_of_minutes_says_so_in_its_label() -> None:
    for entry in table("reading_measuring_period").values():
        minutes = entry.columns["minutes"]
        if not minutes:
            assert not any(letter.isdigit() for letter in entry.label)
            continue
        hours = f"{int(minutes) // 60}-hour"
        assert entry.label.split()[0] in (f"{minutes}-minute", hours)


def test_the_verbs_are_those_of_the_envelope() -> None:
    verbs = {row["word"]: row for row in rows("words") if row["what"].startswith("verb")}
    current = {word for word, row in verbs.items() if not row["status"]}
    assert current == {verb.value for verb in Verb}
    assert set(verbs) - current <= set(DEPRECATED)
    for verb, event in EVENT_OF.items():
        assert verbs[verb]["meaning"].endswith(f"the event that follows is {event}")


def test_a_control_of_the_list_is_built_back_from_its_text() -> None:
    for name, code_class in (("events", EventType), ("controls", ControlType)):
        for key in table(name):
            for device in table("event_device"):
                text = key.replace("*", device)
                assert str(code_class.parse(text)) == text
