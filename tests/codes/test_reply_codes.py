import re

import pytest

from gateway.codes import ReplyCode, Result, result_of

_UNKNOWN = {"1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "2.7", "2.8", "2.11"}
_LAST = {"0": 3, "1": 9, "2": 33, "3": 2, "4": 1, "5": 9, "6": 5, "7": 7}


@pytest.mark.parametrize("code", ReplyCode)
def test_a_code_is_a_class_and_a_number_without_leading_zeros(code: ReplyCode) -> None:
    assert re.fullmatch(r"[0-7]\.(?:0|[1-9]\d?)", code)


def test_codes_that_no_source_names_are_left_out_and_all_others_are_there() -> None:
    first = {"0": 0, "1": 5, "2": 4}
    expected = {f"{group}.{n}" for group, last in _LAST.items() for n in range(first.get(group, 1), last + 1)}
    assert {code.value for code in ReplyCode} == expected - _UNKNOWN


@pytest.mark.parametrize("code", ReplyCode)
def test_the_meaning_is_readable(code: ReplyCode) -> None:
    assert re.fullmatch(r"[a-z]+( [a-z]+)*", code.meaning)


@pytest.mark.parametrize("code", ReplyCode)
def test_only_codes_of_class_0_are_successes(code: ReplyCode) -> None:
    assert (result_of(code) is Result.FAILED) is (not code.startswith("0."))


@pytest.mark.parametrize(
    ("code", "result"),
    [("0.0", Result.OK), ("0.1", Result.PARTIAL), ("0.2", Result.PARTIAL), ("0.3", Result.OK), ("2.5", Result.FAILED)],
)
def test_the_result_of_a_code(code: str, result: Result) -> None:
    assert result_of(ReplyCode(code)) is result


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("1.8", "schema validation failed"),
        ("2.5", "invalid noun"),
        ("2.9", "invalid verb"),
        ("6.5", "canceled by user"),
    ],
)
def test_codes_mean_what_partners_take_them_for(code: str, meaning: str) -> None:
    assert ReplyCode(code).meaning == meaning
