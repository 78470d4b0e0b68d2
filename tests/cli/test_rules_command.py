import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import Result

from gateway.cli._rule_examples import EXAMPLES, Example
from gateway.message import read
from gateway.validation import READING_RULES, RULES, WAY_RULES, Checker, SchemaSet

Run = Callable[..., Result]

_EVERYTHING = (*READING_RULES, *RULES, *WAY_RULES)
_SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture(scope="module")
def checker() -> Checker:
    sources: Mapping[str, bytes] = {path.name: path.read_bytes() for path in _SCHEMAS.glob("*.xsd")}
    return Checker(SchemaSet(sources))


def test_every_rule_is_listed_with_its_level_and_code(cimgate: Run) -> None:
    result = cimgate("rules")
    assert result.exit_code == 0
    lines = {
        line.split()[0]: line.split() for line in result.output.splitlines() if line.startswith("  ") and line.split()
    }
    for rule in _EVERYTHING:
        assert lines[rule.id][1:3] == [rule.severity.value, str(rule.code)]
    assert lines["context-foreign"][-2:] == ["level", "fixed"]
    assert "[inferred]" in result.output


def test_a_rule_is_explained_with_the_way_to_set_it_and_an_example(cimgate: Run) -> None:
    result = cimgate("rules", "timestamp-24")
    assert result.exit_code == 0
    assert 'rules = { timestamp-24 = "error" }' in result.output
    assert "2026-03-17T24:00:00+01:00" in result.output
    assert "2026-03-18T00:00:00+01:00" in result.output
    assert "1.8 (schema validation failed)" in result.output


def test_a_fixed_rule_says_why(cimgate: Run) -> None:
    output = " ".join(cimgate("rules", "compressed-bomb").output.split())
    assert "fixed: it protects the gateway" in output
    assert "[[sources]]" not in output


def test_a_misspelt_rule_is_not_found_and_the_nearest_named(cimgate: Run) -> None:
    result = cimgate("rules", "timestamp-ofset")
    assert result.exit_code == 1
    assert "There is no rule 'timestamp-ofset'." in result.stderr
    assert "Did you mean timestamp-offset?" in result.stderr


def test_a_constraint_of_xml_schema_is_told_as_such(cimgate: Run) -> None:
    result = cimgate("rules", "cvc-complex-type.2.4")
    assert result.exit_code == 0
    assert "constraint of XML Schema" in result.output


def test_json_has_one_object_a_rule(cimgate: Run) -> None:
    rules = [json.loads(line) for line in cimgate("rules", "--json").output.splitlines()]
    assert [rule["rule"] for rule in rules] == [rule.id for rule in _EVERYTHING]
    syntax = next(rule for rule in rules if rule["rule"] == "code-syntax")
    assert (syntax["level"], syntax["codes"], syntax["inferred"], syntax["level_fixed"]) == (
        "error", ["1.8", "2.6"], False, None,
    )  # fmt: skip
    assert json.loads(cimgate("rules", "cvc-elt.1", "--json").output)["level"] == "error"


@pytest.mark.parametrize(("rule", "example"), EXAMPLES.items())
def test_the_examples_break_their_rule_and_nothing_else(checker: Checker, rule: str, example: Example) -> None:
    assert [finding.rule for finding in checker.check(read(_message(example.noun, example.wrong))).findings] == [rule]
    assert checker.check(read(_message(example.noun, example.right))).findings == ()


def _message(noun: str, content: str) -> bytes:
    root = f'<{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">{content}</{noun}>'
    get = noun.startswith("Get")
    kind, verb, part = ("RequestMessage", "get", "Request") if get else ("EventMessage", "created", "Payload")
    header = f"<Header><Verb>{verb}</Verb><Noun>{noun.removeprefix('Get')}</Noun></Header>"
    return (f'<{kind} xmlns="http://iec.ch/TC57/2011/schema/message">{header}<{part}>{root}</{part}></{kind}>').encode()
