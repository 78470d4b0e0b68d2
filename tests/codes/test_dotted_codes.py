"""Whatever the numbers: a well-formed code is read and written back the same, and anything else is refused clearly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes import BadCode, BadPattern, CodeKind, ControlType, EventType, QualityCode, ReadingType

CLASSES: list[type[ControlType | EventType | QualityCode | ReadingType]] = [
    ControlType,
    EventType,
    QualityCode,
    ReadingType,
]
ENERGY = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
NUMBER = st.one_of(st.integers(0, 400), st.integers(0, 10**9 - 1))


def code_of(kind: CodeKind) -> st.SearchStrategy[str]:
    parts = (st.integers(-24, 24) if field == "multiplier" else NUMBER for field in kind.fields)
    return st.tuples(*parts).map(lambda numbers: ".".join(map(str, numbers)))


@pytest.mark.parametrize("code_class", CLASSES)
@given(data=st.data())
def test_any_well_formed_code_is_read_and_written_back_the_same(
    code_class: type[ControlType | EventType | QualityCode | ReadingType], data: st.DataObject
) -> None:
    text = data.draw(code_of(code_class.kind))
    code = code_class.parse(text)
    assert str(code) == text
    assert code == code_class.parse(text)
    assert code_class.kind.well_formed(text)


@pytest.mark.parametrize("code_class", CLASSES)
@given(text=st.one_of(st.text(), st.from_regex(r"(\*|-?[0-9]{1,3}|x| )(\.(-?[0-9]{1,3}|\*| )){1,18}")))
def test_a_text_is_either_written_back_the_same_or_refused(
    code_class: type[ControlType | EventType | QualityCode | ReadingType], text: str
) -> None:
    if code_class.kind.well_formed(text):
        assert str(code_class.parse(text)) == text
    else:
        with pytest.raises(BadCode, match=r"\w"):
            code_class.parse(text)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it is empty; EndDeviceEventType has 4 numbers with dots between them"),
        (" 3.26.0.85", "it has spaces around it"),
        ("3.26.0", "it has 3 parts, and EndDeviceEventType has 4"),
        ("3", "it has 1 part, and EndDeviceEventType has 4"),
        ("3.x.0.85", "part 2 (domain) is 'x', which is no number"),
        ("3.26..85", "part 3 (subdomain) is empty"),
        ("3.26.0.-85", "part 4 (action) is '-85', and only a multiplier may be negative"),
        ("03.26.0.85", "part 1 (device) is '03': write the number without leading zeros"),
        ("3.26.0.*", "part 4 (action) is '*', which is no number"),
        ("3.26.0.²", "part 4 (action) is '²', which is no number"),
        ("3.26.0.1234567890", "part 4 (action) is '1234567890', which has more than 9 digits"),
        (f"3.26.0.{'y' * 99}", f"part 4 (action) is '{'y' * 30}...', which is no number"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_with_the_part(text: str, fault: str) -> None:
    with pytest.raises(BadCode) as refused:
        EventType.parse(text)
    assert str(refused.value) == fault


def test_a_multiplier_may_be_negative() -> None:
    code = ReadingType.parse("0.0.0.12.0.1.4.0.0.0.0.0.0.0.128.-3.5.0")
    assert code.multiplier == -3
    assert str(code).endswith(".-3.5.0")


def test_a_code_cannot_be_built_from_numbers_that_no_code_has() -> None:
    with pytest.raises(BadCode, match=r"part 2 \(domain\) is '-1'"):
        EventType(3, -1, 0, 85)


def test_a_reading_type_is_built_by_the_names_of_its_parts() -> None:
    code = ReadingType(
        accumulation=1, flow_direction=1, commodity=1, measurement_kind=12, multiplier=3, unit_of_measure=72
    )
    assert str(code) == ENERGY


def test_an_event_and_a_control_of_the_same_numbers_are_not_the_same() -> None:
    codes: list[EventType | ControlType] = [EventType(3, 31, 0, 23), ControlType(3, 31, 0, 23)]
    assert codes[0] != codes[1]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [("*.26.*.*", True), ("3.26.0.85", True), ("*.*.*.*", True), ("*.26.0.216", False), ("26.*.*.*", False)],
)
def test_a_pattern_stands_for_the_codes_that_it_fits(pattern: str, matched: bool) -> None:
    assert EventType.parse("3.26.0.85").matches(pattern) is matched


def test_a_reading_type_is_compared_with_wildcards() -> None:
    pattern = "*.*.*.*.*.*.12.*.*.*.*.*.*.*.*.*.72.*"
    assert ReadingType.parse(ENERGY).matches(pattern)
    assert not ReadingType.parse(ENERGY.replace(".72.", ".73.")).matches(pattern)


def test_a_text_that_is_no_pattern_is_refused() -> None:
    with pytest.raises(BadPattern, match="it has 3 parts, and EndDeviceEventType has 4"):
        EventType.parse("3.26.0.85").matches("*.26.*")


def test_the_multiplier_of_a_pattern_may_be_negative() -> None:
    milli = "*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.-3.*.*"
    assert ReadingType(multiplier=-3).matches(milli)
    assert not ReadingType(multiplier=3).matches(milli)
