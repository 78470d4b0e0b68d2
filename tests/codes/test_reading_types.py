import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes import CodeKind, ReadingType, explain
from gateway.codes.tables import PAIR_TABLES, PART_TABLES, table

FIELDS = [name.removeprefix("reading_") for name in PART_TABLES if name.startswith("reading_")]
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"


def type_of(**numbers: int) -> ReadingType:
    return ReadingType(**numbers)


def known_types() -> st.SearchStrategy[ReadingType]:
    """Give reading types of numbers that the tables know."""
    parts = {field: st.sampled_from(sorted(map(int, table(f"reading_{field}")))) for field in FIELDS}
    return st.builds(ReadingType, **parts)


@pytest.mark.parametrize(
    ("code", "sentence", "alias"),
    [
        (
            KWH,
            (
                "Register total (bulk quantity) of active energy delivered (forward), "
                "electricity secondary metered, in kWh."
            ),
            "kWh delivered",
        ),
        (
            "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0",
            "15-minute delta of active energy received (reverse), electricity secondary metered, in kWh.",
            "15-min kWh received",
        ),
        (
            "32.0.2.4.1.2.37.0.0.0.0.0.0.0.0.3.63.0",
            (
                "Specified-period 15-minute delta of reactive power delivered (forward), "
                "electricity primary metered, in kVAr."
            ),
            "specified-period 15-min delta kVAr delivered (primary)",
        ),
        (
            "8.8.0.3.1.1.8.0.0.0.0.0.0.0.0.3.38.0",
            (
                "Billing-period maximum cumulative value of demand delivered (forward), "
                "electricity secondary metered, in kW."
            ),
            "billing-period maximum cumulative kW demand delivered",
        ),
        (
            "0.2.2.0.0.1.54.0.0.0.0.0.0.0.128.0.29.0",
            "15-minute average of voltage, electricity secondary metered, phase A, in V.",
            "15-min average V phase A",
        ),
        (
            "0.0.0.6.0.1.54.0.0.0.0.0.0.0.128.0.29.0",
            "Indicating value of voltage, electricity secondary metered, phase A, in V.",
            "V phase A",
        ),
        (
            "0.0.0.1.5.1.12.0.0.0.0.0.0.0.0.3.73.0",
            (
                "Register total (bulk quantity) of reactive energy in quadrants 1 plus 2 (Q1+Q2), "
                "electricity secondary metered, in kVArh."
            ),
            "kVArh Q1+Q2",
        ),
        (
            "11.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0",
            "Daily register total (bulk quantity) of volume delivered (forward), potable water, in m³.",
            "daily m³ potable water delivered",
        ),
        (
            "0.0.0.9.1.1.12.0.0.0.0.1.2.3.0.0.72.0",
            (
                "Summation of active energy delivered (forward), electricity secondary metered, "
                "time-of-use period A, critical-peak period B, consumption tier 3, in Wh."
            ),
            "summation Wh delivered TOU A CPP B consumption tier 3",
        ),
        (
            "0.7.0.0.0.1.54.5.1.60.1.0.0.0.0.-3.29.0",
            "Low threshold voltage, electricity secondary metered, harmonic 5, argument n60, in mV.",
            "low threshold mV harmonic 5 argument n60",
        ),
        (
            "0.0.0.1.0.0.3.0.0.0.0.0.0.0.0.0.80.978",
            "Register total (bulk quantity) of currency, in EUR.",
            "register EUR currency of no commodity",
        ),
        ("0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0", "A reading type that says nothing: all its parts are 0.", None),
    ],
)
def test_a_reading_type_is_told_in_a_sentence_and_a_short_name(code: str, sentence: str, alias: str | None) -> None:
    reading = ReadingType.parse(code)
    assert reading.explain() == sentence
    assert alias is None or reading.alias() == alias


def test_numbers_that_are_not_known_are_told_as_numbers() -> None:
    code = ReadingType.parse("99.0.2.4.1.1.333.13.1.0.0.0.0.0.131.4.999.0")
    assert code.explain() == (
        "15-minute delta of quantity of kind 333 delivered (forward), electricity secondary metered, "
        "phases 131 (by its bits A1+C2+N2), in 10^4 unit 999 (unknown), "
        "macro period 99 (unknown), measurement kind 333 (unknown), interharmonic 13/1 (unknown)."
    )


@pytest.mark.parametrize(
    ("unit", "multiplier", "currency", "text"),
    [
        (72, 3, 0, "kWh"),
        (72, 6, 0, "MWh"),
        (5, -3, 0, "mA"),
        (5, -6, 0, "µA"),
        (42, 0, 0, "m³"),
        (42, 3, 0, "10^3 m³"),
        (72, 4, 0, "10^4 Wh"),
        (214, 0, 0, "bar"),
        (225, 0, 0, "foot"),
        (80, 0, 840, "USD"),
        (80, 0, 0, "money"),
        (0, 0, 0, ""),
        (0, 3, 0, "10^3"),
        (999, 0, 0, "unit 999"),
    ],
)
def test_unit_and_multiplier_are_written_as_people_write_them(
    unit: int, multiplier: int, currency: int, text: str
) -> None:
    assert type_of(unit_of_measure=unit, multiplier=multiplier, currency=currency).unit == text


@pytest.mark.parametrize(
    ("period", "minutes"), [(2, 15), (4, 1440), (57, 60), (79, 120), (0, None), (15, None), (999, None)]
)
def test_the_measuring_period_is_told_in_minutes(period: int, minutes: int | None) -> None:
    assert type_of(measuring_period=period).measuring_period_minutes == minutes


def test_the_parts_are_told_one_by_one() -> None:
    fields = ReadingType.parse("0.0.2.4.1.1.333.0.0.0.0.0.0.0.0.3.72.0").fields()
    assert [name for name, _, _ in fields] == list(CodeKind.READING.fields)
    told = {name: (number, meaning) for name, number, meaning in fields}
    assert told["measuring_period"] == (2, "fifteenMinute")
    assert told["measurement_kind"] == (333, None)
    assert told["unit_of_measure"] == (72, "Watt hours")


@pytest.mark.parametrize(
    ("alias", "code"),
    [
        ("kWh delivered", KWH),
        ("KWH  Delivered", KWH),
        ("kWh received", KWH.replace(".1.1.12", ".19.1.12", 1)),
        ("15 minute kWh delivered", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
        ("15-min kWh delivered", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
        ("MWh received", "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.6.72.0"),
        ("kvarh q1+q2", "0.0.0.1.5.1.12.0.0.0.0.0.0.0.0.3.73.0"),
        ("V phase b", "0.0.0.6.0.1.54.0.0.0.0.0.0.0.64.0.29.0"),
        ("m3 natural gas delivered", "0.0.0.1.1.7.58.0.0.0.0.0.0.0.0.0.42.0"),
    ],
)
def test_a_short_name_gives_its_reading_type(alias: str, code: str) -> None:
    assert str(ReadingType.from_alias(alias)) == code


@pytest.mark.parametrize("alias", ["", "kWh sideways", "mWh delivered", "delivered", "furlongs"])
def test_a_short_name_that_is_none_or_not_common_gives_nothing(alias: str) -> None:
    assert ReadingType.from_alias(alias) is None


@given(code=known_types())
def test_a_short_name_never_gives_another_reading_type_than_its_own(code: ReadingType) -> None:
    assert ReadingType.from_alias(code.alias()) in (None, code)


@given(code=known_types())
def test_whatever_the_numbers_the_sentence_is_one(code: ReadingType) -> None:
    sentence = code.explain()
    assert sentence[0] == sentence[0].upper()
    assert sentence.endswith(".")
    assert "  " not in sentence
    assert ", ," not in sentence
    assert "(unknown)" not in sentence


@pytest.mark.parametrize("field", FIELDS)
def test_every_number_of_the_tables_is_explained(field: str) -> None:
    for number, entry in table(f"reading_{field}").items():
        code = type_of(**{field: int(number)})
        assert ReadingType.parse(str(code)) == code
        (explanation,) = explain(str(code))
        assert explanation.known
        assert {part.name for part in explanation.parts if part.value == number} >= {entry.name}
        if number != "0" and field not in ("multiplier", "unit_of_measure"):
            assert entry.label.casefold() in explanation.sentence.casefold()


@pytest.mark.parametrize("name", PAIR_TABLES)
def test_every_pair_of_the_tables_is_explained(name: str) -> None:
    pair = name.removeprefix("reading_")
    for key, entry in table(name).items():
        numerator, denominator = map(int, key.split("/"))
        code = type_of(measurement_kind=54, **{f"{pair}_numerator": numerator, f"{pair}_denominator": denominator})
        assert {field: meaning for field, _, meaning in code.fields()}[f"{pair}_numerator"] == entry.name
        assert key == "0/0" or entry.label in code.explain()


def test_every_example_is_explained_and_has_a_short_name_that_leads_back() -> None:
    for key in table("reading_examples"):
        code = ReadingType.parse(key)
        assert str(code) == key
        assert "(unknown)" not in code.explain()
        assert ReadingType.from_alias(code.alias()) == code
