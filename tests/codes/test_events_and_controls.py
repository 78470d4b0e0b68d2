import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.codes import ControlType, EventType, QualityCode
from gateway.codes.tables import table

NUMBERS = st.one_of(st.integers(0, 300), st.integers(0, 10**9 - 1))


@pytest.mark.parametrize(
    ("code", "name", "sentence"),
    [
        ("3.26.0.85", "Power.Failed", "Event Power.Failed of an electric meter: outage."),
        (
            "4.12.65.85",
            "Security.Login.Failed",
            "Event Security.Login.Failed of a gas meter: security, login failed.",
        ),
        (
            "3.6.0.27",
            "Installation.ChangeOut",
            "Event Installation.ChangeOut of an electric meter: device changed out.",
        ),
        (
            "3.26.126.37",
            "Power.PhaseA.Normal",
            "Event Power.PhaseA.Normal of an electric meter: power, phase A normal.",
        ),
        (
            "99.26.777.85",
            "Power.(subdomain 777).Failed",
            "Event Power.(subdomain 777).Failed of device type 99, which is not known: power, subdomain 777 failed.",
        ),
        (
            "0.0.0.0",  # noqa: S104 - an event type, no address
            "(no name)",
            "Event (no name) of a device that the code does not name: the code says no more.",
        ),
    ],
)
def test_an_event_is_named_and_told_as_far_as_it_is_known(code: str, name: str, sentence: str) -> None:
    event = EventType.parse(code)
    assert (event.name, event.explain()) == (name, sentence)


def test_a_control_is_told_with_what_it_does() -> None:
    control = ControlType.parse("3.31.0.23")
    assert control.explain() == (
        "Control RCDSwitch.Disconnect for an electric meter: open the remote switch: supply off."
    )


def test_an_event_that_the_list_lacks_is_told_from_one_that_it_has() -> None:
    assert EventType.parse("24.26.0.85").is_listed
    assert not EventType.parse("3.31.0.23").is_listed
    assert ControlType.parse("3.31.0.23").is_listed


def test_a_control_knows_the_events_that_answer_it_and_they_know_it() -> None:
    control = ControlType.parse("3.31.0.23")
    answers = {answer.outcome: (answer.code, answer.name) for answer in control.answers()}
    assert answers == {
        "success": ("3.31.0.68", "RCDSwitch.Disconnected"),
        "failure": ("3.31.0.84", "RCDSwitch.DisconnectFailed"),
    }
    for outcome, (code, _) in answers.items():
        (back,) = EventType.parse(code).answers_to()
        assert (back.outcome, back.code, back.name) == (outcome, "3.31.0.23", "RCDSwitch.Disconnect")


def test_every_control_with_answers_is_found_back_from_them_for_its_own_device() -> None:
    with_answers = 0
    for key in table("controls"):
        control = ControlType.parse(key.replace("*", "16"))
        for answer in control.answers():
            with_answers += 1
            assert answer.code.startswith("16.")
            assert str(control) in [back.code for back in EventType.parse(answer.code).answers_to()]
    assert with_answers == 24


def test_a_control_for_which_no_source_names_an_answer_has_none() -> None:
    assert ControlType.parse("3.23.0.26").answers() == ()
    assert ControlType.parse("3.26.0.85").answers() == ()
    assert EventType.parse("3.26.0.85").answers_to() == ()


@given(numbers=st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_whatever_the_four_numbers_there_is_a_name_and_a_sentence(numbers: tuple[int, int, int, int]) -> None:
    for code in (EventType(*numbers), ControlType(*numbers)):
        assert code.name
        assert code.explain().endswith(".")
        assert "  " not in code.explain()


@pytest.mark.parametrize(
    ("code", "name", "sentence"),
    [
        (
            "2.5.259",
            "knownMissingRead",
            "Known missing read (category failed reasonability), said by the metering system or network.",
        ),
        ("0.0.0", "dataValid", "Data valid (category valid), no system named."),
        ("1.4.16", "dstInEffect", "Daylight saving time in effect (category data collection), said by the end device."),
        (
            "3.9.4",
            "obsoleteOscillatory.(index 4)",
            "Index 4, which is not known (category oscillatory (obsolete)), said by the meter data management system.",
        ),
        (
            "9.99.1",
            "(category 99).(index 1)",
            "Index 1, which is not known (category 99, which is not known), said by system 9, which is not known.",
        ),
    ],
)
def test_a_quality_code_is_named_and_told_as_far_as_it_is_known(code: str, name: str, sentence: str) -> None:
    quality = QualityCode.parse(code)
    assert (quality.name, quality.explain()) == (name, sentence)
