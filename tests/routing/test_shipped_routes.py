"""The routes and the examples that come with cimgate, held against each other."""

import tomllib
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.message import Finding, Message, MessageKind, Unreadable, read
from gateway.message.nouns import OPERATION_SET, PART9_NOUNS
from gateway.message.verbs import EVENT_VERBS, OPERATION_VERBS, Verb
from gateway.routing import RouteTable, load
from gateway.validation import Checker, SchemaSet

MakeMessage = Callable[..., Message]

TOP: Final = Path(__file__).parents[2]
EXAMPLES: Final = TOP / "examples"
EXPECTED: Final[list[dict[str, Any]]] = tomllib.loads((EXAMPLES / "day.toml").read_text(encoding="utf-8"))["message"]


@pytest.fixture(name="table", scope="module")
def table_fixture() -> RouteTable:
    sources = {path.name: path.read_text(encoding="utf-8") for path in (TOP / "routes").glob("*.toml")}
    return load(sources, nouns=PART9_NOUNS)


def test_they_load_without_a_problem(table: RouteTable) -> None:
    assert list(table.systems) == ["CIS", "MDM", "MS", "OMS"]
    assert all(route.name for route in table.routes)


@pytest.fixture(name="checker", scope="module")
def checker_fixture() -> Checker:
    sources = {path.name: path.read_bytes() for path in (TOP / "schemas").glob("*.xsd")}
    return Checker(SchemaSet(sources), context="TESTING")


@pytest.mark.parametrize("expected", [entry for entry in EXPECTED if "to" in entry], ids=itemgetter("file"))
def test_each_example_is_valid_and_goes_where_it_is_expected(
    table: RouteTable, checker: Checker, expected: dict[str, Any]
) -> None:
    subject = read((EXAMPLES / expected["file"]).read_bytes())
    assert checker.check(subject).findings == ()
    assert [route.system.name for route in table.match(subject)] == expected["to"]


@pytest.mark.parametrize("file", sorted({entry["answer"] for entry in EXPECTED if "answer" in entry}))
def test_each_answer_of_the_examples_is_valid(checker: Checker, file: str) -> None:
    subject = read((EXAMPLES / file).read_bytes())
    assert subject.kind is MessageKind.RESPONSE
    assert checker.check(subject).findings == ()


@pytest.mark.parametrize("expected", [entry for entry in EXPECTED if "dead" in entry], ids=itemgetter("file"))
def test_each_broken_example_is_refused_as_expected(
    table: RouteTable, checker: Checker, expected: dict[str, Any]
) -> None:
    first = refusal((EXAMPLES / expected["file"]).read_bytes(), table, checker)
    assert {"code": first.code, "rule": first.rule} == expected["dead"]


def refusal(raw: bytes, table: RouteTable, checker: Checker) -> Finding:
    try:
        subject = read(raw)
    except Unreadable as error:
        return error.finding
    first = checker.check(subject).first
    if first is not None:
        return first
    assert table.match(subject) == ()
    return table.unroutable(subject)


def test_every_example_is_expected_to_become_something() -> None:
    files = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/*.xml")}
    answers = {entry["answer"] for entry in EXPECTED if "answer" in entry}
    sent = sorted(files - answers, key=lambda name: (not name.startswith("day/"), name))
    assert [entry["file"] for entry in EXPECTED] == sent
    assert all(("to" in entry) is not ("dead" in entry) for entry in EXPECTED)


@pytest.mark.parametrize("noun", sorted(PART9_NOUNS))
def test_every_noun_has_receivers_for_what_may_be_asked_and_published(
    table: RouteTable, message: MakeMessage, noun: str
) -> None:
    for verb in (Verb.GET, *sorted(OPERATION_VERBS)):
        source = "POS" if verb in EVENT_VERBS else "PORTAL"
        if noun == "EndDeviceEvents" and verb in EVENT_VERBS:
            assert [route.system.name for route in table.match(message(noun, verb, source=source))] == ["MDM"]
            continue
        assert table.match(message(noun, verb, source=source)), f"{verb}({noun})"


def test_a_request_has_at_most_one_receiver_and_never_the_system_that_sent_it(
    table: RouteTable, message: MakeMessage
) -> None:
    # Two receivers would both reply; none for a request of the keeper of a noun to itself.
    for source in ("MDM", "CIS", "OMS", "MS", "HES-NORTH", "PORTAL", None):
        own = {"HES-NORTH": "MS"}.get(source or "", source)
        for noun in sorted(PART9_NOUNS | {OPERATION_SET}):
            for verb in sorted(set(Verb) - EVENT_VERBS - {Verb.REPLY}):
                for properties in ({}, {"OnDemand": "true"}, {"Via": "MDM"}):
                    subject = message(noun, verb, source=source, properties=properties)
                    receivers = [route.system.name for route in table.match(subject)]
                    assert len(receivers) <= 1, (source, verb, noun, properties)
                    assert own not in receivers


def test_published_master_data_reaches_all_but_its_source(table: RouteTable, message: MakeMessage) -> None:
    for noun in ("MeterConfig", "CustomerConfig", "UsagePointGroups"):
        for source, others in (("CIS", ["MDM", "MS", "OMS"]), ("MDM", ["CIS", "MS", "OMS"])):
            fired = table.match(message(noun, "changed", source=source))
            assert [route.system.name for route in fired] == others
    fired = table.match(message(OPERATION_SET, "executed", source="HES-NORTH"))
    assert [route.system.name for route in fired] == ["CIS", "MDM", "OMS"]
