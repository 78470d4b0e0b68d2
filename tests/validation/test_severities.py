from collections.abc import Callable

import pytest

from gateway.message import Severity, read
from gateway.validation import BadLevels, Checker, SchemaSet, Severities, Verdict

Judge = Callable[[dict[str, dict[str, str]], bytes], Verdict]


@pytest.fixture
def judged(schemas: SchemaSet) -> Judge:
    def judged(levels: dict[str, dict[str, str]], raw: bytes) -> Verdict:
        return Checker(schemas, severities=Severities.read(levels)).check(read(raw))

    return judged


@pytest.fixture(scope="session")
def event(write: Callable[..., bytes], root: Callable[..., str]) -> bytes:
    return write(header="<Timestamp>2024-03-01T00:00:00</Timestamp><Source>HES</Source>", payload=root("MeterReadings"))


def test_a_warning_can_be_made_an_error(judged: Judge, event: bytes) -> None:
    assert judged({}, event).ok
    verdict = judged({"*": {"timestamp-offset": "error"}}, event)
    assert not verdict.ok
    assert verdict.first is not None
    assert verdict.first.rule == "timestamp-offset"


def test_an_error_can_be_made_a_warning_or_silent(judged: Judge, write: Callable[..., bytes]) -> None:
    raw = write()
    raw = raw.replace(b"created", b"create")
    assert not judged({}, raw).ok
    assert [(f.rule, f.severity) for f in judged({"*": {"verb-of-kind": "warning"}}, raw).findings] == [
        ("verb-of-kind", Severity.WARNING)
    ]
    assert judged({"*": {"verb-of-kind": "off"}}, raw).findings == ()


def test_the_levels_of_a_source_hold_for_it_alone(judged: Judge, event: bytes) -> None:
    assert judged({"MDM": {"timestamp-offset": "error"}}, event).ok
    assert not judged({"HES": {"timestamp-offset": "error"}}, event).ok


def test_what_holds_for_all_holds_for_a_source_except_where_its_own_says_otherwise(judged: Judge, event: bytes) -> None:
    levels = {"*": {"timestamp-offset": "error"}, "HES": {"ref-dangling": "off"}}
    assert not judged(levels, event).ok
    levels["HES"]["timestamp-offset"] = "off"
    assert judged(levels, event).findings == ()


def test_a_message_without_a_source_has_the_levels_of_all(judged: Judge, event: bytes) -> None:
    raw = event.replace(b"<Source>HES</Source>", b"")
    assert not judged({"*": {"timestamp-offset": "error"}, "HES": {"timestamp-offset": "off"}}, raw).ok


@pytest.mark.parametrize(
    ("levels", "problem"),
    [
        ({"timestamp-ofset": "off"}, "'timestamp-ofset' is no rule; did you mean 'timestamp-offset'?"),
        ({"weather": "off"}, "'weather' is no rule; `cimgate rules` lists them"),
        ({"timestamp-24": "fatal"}, "'timestamp-24' is 'fatal', which is not error, warning or off"),
        ({"cvc-elt.1": "off"}, "'cvc-elt.1' is a constraint of XML Schema; only cimgate's own rules can be set"),
        ({"xml-empty": "off"}, "'xml-empty' cannot be set: what cannot be read cannot be judged"),
        ({"context-foreign": "off"}, "'context-foreign' cannot be set: it keeps messages of one environment out"),
    ],
)
def test_levels_that_cannot_be_set_are_told(levels: dict[str, str], problem: str) -> None:
    with pytest.raises(BadLevels) as caught:
        Severities.read({"*": levels})
    assert [text.startswith(problem) for text in caught.value.problems] == [True], caught.value.problems


def test_all_faults_are_told_with_their_source() -> None:
    with pytest.raises(BadLevels) as caught:
        Severities.read({"HES": {"a": "off"}, "*": {"timestamp-24": "no"}})
    assert len(caught.value.problems) == 2
    assert "source 'HES'" in caught.value.problems[0]


def test_many_warnings_do_not_hide_an_error(
    judged: Judge, write: Callable[..., bytes], root: Callable[..., str]
) -> None:
    readings = "".join(
        f'<MeterReading><Readings><ReadingType ref="type {number}"/></Readings></MeterReading>' for number in range(150)
    )
    wrong = '<MeterReading><Readings><ReadingType ref="0.0.2"/></Readings></MeterReading>'
    verdict = judged({}, write(payload=root("MeterReadings", readings + wrong)))
    assert [finding.rule for finding in verdict.errors] == ["code-syntax"]
    assert len(verdict.findings) == 100


def test_silenced_faults_do_not_hide_one_further_down(
    judged: Judge, write: Callable[..., bytes], root: Callable[..., str]
) -> None:
    operations = "".join(
        f"<Operation><operationId>{number}</operationId><verb>create</verb></Operation>" for number in range(200)
    )
    last = f"<Operation><operationId>200</operationId><verb>explode</verb>{root('MeterReadings')}</Operation>"
    bad = root("EndDeviceEvents", "<EndDeviceEvent/>")
    invalid = f"<Operation><operationId>201</operationId><verb>create</verb>{bad}</Operation>"
    payload = f"<OperationSet>{operations}{last}{invalid}</OperationSet>"
    raw = write("RequestMessage", "execute", "OperationSet", payload=payload)
    verdict = judged({"*": {"operation-payload": "off"}}, raw)
    assert {"operation-verb", "cvc-complex-type.2.4"} == {finding.rule for finding in verdict.errors}
