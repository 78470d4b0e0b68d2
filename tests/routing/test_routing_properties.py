"""Whatever the routes and the messages: explaining agrees with matching, and a shadowed route has nothing to itself."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.message import Message
from gateway.message.nouns import PART9_NOUNS
from gateway.routing import Outcome, RouteTable, RoutingError, load

MakeMessage = Callable[..., Message]

# Few values each, so that routes and messages often meet.
NOUNS = ["MeterReadings", "EndDeviceEvents", "MeterConfig"]
VERBS = ["get", "create", "created", "changed"]
SOURCES = ["MDM", "CIS", "HES-NORTH"]
CODES = ["3.26.0.85", "3.26.0.216", "3.12.0.257", "26.26.0.85"]
CODES_SENT = [[code] for code in CODES] + [["3.26.0.85", "3.12.0.257"]]
VALUES: list[dict[str, str]] = [{}, {"P": "1"}, {"P": "2"}, {"P": "3"}, {"Q": "1"}]
PATTERNS = [*CODES, "*.26.*.*", "*.*.*.*", "3.*.*.*", "*.26.0.85"]

# About half of what is drawn is refused at load or has no shadow: that is the nature of random routes.
relaxed = settings(suppress_health_check=[HealthCheck.filter_too_much], deadline=None)


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


def table_of(values: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(values).map(lambda value: f'{{ P = "{value}" }}')


CRITERIA: dict[str, st.SearchStrategy[str]] = {
    "contexts": some(["TESTING", "STUDY"]).map(str),
    "sources": some(SOURCES).map(str),
    "not_sources": some(SOURCES).map(str),
    "properties": table_of(["1", "2", "*"]),
    "not_properties": table_of(["1", "2", "*"]),
    "events": some(PATTERNS).map(str),
}


def pairs() -> st.SearchStrategy[dict[str, str]]:
    anything = st.just(["*"])
    return st.fixed_dictionaries(
        {"noun": st.one_of(some(NOUNS), anything).map(str), "verbs": st.one_of(some(VERBS), anything).map(str)}
    )


def criteria(keys: list[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries({}, optional={key: CRITERIA[key] for key in keys})


ROUTES = st.builds(dict[str, str].__or__, pairs(), criteria(list(CRITERIA)))


@st.composite
def crowded(draw: st.DrawFn) -> list[dict[str, str]]:
    """Give routes that often take the same pairs and ask the same questions, so that they get into each other's way."""
    asked = criteria(draw(st.lists(st.sampled_from(list(CRITERIA)), max_size=2, unique=True)))
    first = draw(pairs())
    others = st.builds(dict[str, str].__or__, st.one_of(st.just(first), pairs()), asked)
    return [first | draw(asked), *draw(st.lists(others, min_size=1, max_size=2))]


MESSAGES = st.fixed_dictionaries(
    {
        "noun": st.sampled_from(NOUNS),
        "verb": st.sampled_from(VERBS),
        "source": st.sampled_from([*SOURCES, None]),
        "context": st.sampled_from(["TESTING", "STUDY", None]),
        "properties": st.sampled_from(VALUES),
        "codes": st.lists(st.sampled_from(CODES), max_size=2),
    }
)


def system(name: str, routes: list[dict[str, str]]) -> str:
    lines = [f'[system]\nname = "{name}"']
    for route in routes:
        lines += ["[[route]]", *(f"{key} = {value}" for key, value in route.items())]
    return "\n".join(lines)


def loaded(*texts: str) -> RouteTable | None:
    try:
        return load({f"{number}.toml": text for number, text in enumerate(texts)}, nouns=PART9_NOUNS)
    except RoutingError:
        return None


def made(message: MakeMessage, parts: dict[str, object]) -> Message:
    refs = "".join(f'<EndDeviceEventType ref="{code}"/>' for code in parts["codes"])  # type: ignore[attr-defined] # a list
    more = {key: value for key, value in parts.items() if key != "codes"}
    return message(**more, payload=f'<x xmlns="urn:x">{refs}</x>')


@relaxed
@given(mdm=st.lists(ROUTES, max_size=3), cis=st.lists(ROUTES, max_size=3), parts=MESSAGES)
def test_what_is_explained_as_firing_is_what_fires(
    message: MakeMessage, mdm: list[dict[str, str]], cis: list[dict[str, str]], parts: dict[str, object]
) -> None:
    table = loaded(system("MDM", mdm), system("CIS", cis))
    assume(table is not None)
    assert table is not None
    subject = made(message, parts)
    explanations = table.explain(subject)
    assert [explanation.route for explanation in explanations] == list(table.routes)
    assert tuple(item.route for item in explanations if item.outcome is Outcome.FIRED) == table.match(subject)
    assert all(item.text for item in explanations)


@pytest.fixture(name="every_message", scope="module")
def every_message_fixture(message: MakeMessage) -> list[Message]:
    """Give one message for each combination of what the routes above can ask for."""
    return [
        made(message, {"noun": noun, "verb": verb, "source": source, "context": context, **more})
        for noun in NOUNS
        for verb in VERBS
        for source in (*SOURCES, None)
        for context in ("TESTING", "STUDY", None)
        for more in ({"properties": values, "codes": codes} for values in VALUES for codes in ([], *CODES_SENT))
    ]


@relaxed
@given(routes=crowded())
def test_a_route_reported_as_shadowed_takes_nothing_that_the_earlier_ones_leave(
    every_message: list[Message], routes: list[dict[str, str]]
) -> None:
    *earlier, later = routes
    before, alone = loaded(system("MDM", earlier)), loaded(system("MDM", [later]))
    assume(before is not None and alone is not None and loaded(system("MDM", routes)) is None)
    assert before is not None
    assert alone is not None
    assert not [message for message in every_message if alone.match(message) and not before.match(message)]
