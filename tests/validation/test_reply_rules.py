from collections.abc import Callable

import pytest

from gateway.message import Finding, Severity

Judge = Callable[..., list[Finding]]


def _reply(judge: Judge, result: str, *errors: str) -> list[Finding]:
    parts = "".join(f"<Error>{error}</Error>" for error in errors)
    return judge("ResponseMessage", "reply", reply=f"<Result>{result}</Result>{parts}")


def _code(code: str, level: str = "") -> str:
    return f"<code>{code}</code>" + (f"<level>{level}</level>" if level else "")


@pytest.mark.parametrize(
    ("result", "codes"),
    [
        ("OK", []),
        ("OK", ["0.0"]),
        ("OK", ["0.3"]),
        ("OK", ["SIM8011"]),
        ("PARTIAL", ["0.2", "5.7"]),
        ("PARTIAL", ["0.1"]),
        ("FAILED", ["2.4"]),
        ("FAILED", ["0.0", "5.3"]),
        ("FAILED", ["OOPS"]),
    ],
)
def test_a_result_that_goes_with_its_codes_passes(judge: Judge, result: str, codes: list[str]) -> None:
    assert _reply(judge, result, *map(_code, codes)) == []


def test_a_success_may_carry_a_mild_remark(judge: Judge) -> None:
    assert _reply(judge, "OK", _code("6.2", "INFORM"), _code("5.1", "WARNING")) == []


@pytest.mark.parametrize(
    ("result", "errors", "found"),
    [
        ("OK", [_code("0.2")], "0.2"),
        ("OK", [_code("0.0"), _code("2.4", "FATAL")], "2.4"),
        ("OK", [_code("2.4")], "2.4"),
        ("FAILED", [_code("0.0"), _code("0.3")], "0.0"),
    ],
)
def test_a_result_that_its_codes_deny_is_warned(judge: Judge, result: str, errors: list[str], found: str) -> None:
    [finding] = _reply(judge, result, *errors)
    assert (finding.rule, finding.severity, finding.found) == ("result-and-codes", Severity.WARNING, found)
    assert finding.element == "Error"


def test_a_failure_without_an_error_is_warned(judge: Judge) -> None:
    [finding] = _reply(judge, "FAILED")
    assert (finding.rule, finding.severity) == ("failed-without-error", Severity.WARNING)
