import pytest

from gateway.message.nouns import PART9_NOUNS
from gateway.routing import RoutingError, load

SYSTEM = '[system]\nname = "A"\nsources = ["A", "A2"]\n'


def shadow_of(*routes: str) -> str:
    """Give what is said of a shadow; empty where the routes load."""
    text = SYSTEM + "".join(f"[[route]]\n{route}\n" for route in routes)
    try:
        load({"a.toml": text}, nouns=PART9_NOUNS)
    except RoutingError as error:
        return str(error)
    return ""


READINGS = 'noun = "MeterReadings"\nverbs = ["created"]\n'


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (READINGS, READINGS),
        ('noun = "*"\nverbs = ["*"]', READINGS),
        (READINGS, READINGS + 'sources = ["CIS"]'),
        (READINGS + 'sources = ["CIS", "OMS"]', READINGS + 'sources = ["CIS"]'),
        (READINGS + 'sources = ["CIS"]', READINGS + 'sources = ["CIS", "A"]'),
        (READINGS + 'not_sources = ["CIS"]', READINGS + 'sources = ["OMS"]'),
        (READINGS + 'not_sources = ["CIS"]', READINGS + 'not_sources = ["CIS", "OMS"]'),
        (READINGS + 'not_sources = ["A", "A2"]', READINGS),
        (READINGS + 'contexts = ["TESTING", "STUDY"]', READINGS + 'contexts = ["STUDY"]'),
        (READINGS + 'properties = { P = "*" }', READINGS + 'properties = { P = ["1", "2"] }'),
        (READINGS + 'not_properties = { P = "1" }', READINGS + 'not_properties = { P = "*" }'),
        (READINGS + 'events = ["*.26.*.*"]', READINGS + 'events = ["3.26.*.*", "*.26.0.85"]'),
    ],
)
def test_a_route_that_an_earlier_one_leaves_nothing_is_refused(earlier: str, later: str) -> None:
    assert "Route 2 can never fire: route 1 (line 4) before it" in shadow_of(earlier, later)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (READINGS, 'noun = "*"\nverbs = ["*"]'),
        (READINGS + 'sources = ["CIS"]', READINGS),
        (READINGS + 'sources = ["CIS"]', READINGS + 'sources = ["CIS", "OMS"]'),
        (READINGS + 'not_sources = ["CIS"]', READINGS),
        (READINGS + 'not_sources = ["CIS"]', READINGS + 'sources = ["CIS"]'),
        (READINGS + 'contexts = ["STUDY"]', READINGS),
        (READINGS + 'properties = { P = "1" }', READINGS + 'properties = { P = "*" }'),
        (READINGS + 'properties = { P = "1" }', READINGS + 'properties = { Q = "1" }'),
        (READINGS + 'not_properties = { P = "1" }', READINGS),
        (READINGS + 'not_properties = { P = "1" }', READINGS + 'properties = { P = "2" }'),
        (READINGS + 'events = ["*.26.*.*"]', READINGS + 'events = ["*.26.*.*", "*.12.*.*"]'),
        (READINGS + 'events = ["*.26.*.*"]', READINGS),
        (READINGS + 'events = ["*.26.*.*"]', READINGS + 'controls = ["*.26.*.*"]'),
        ('noun = "*"\nverbs = ["get"]\nnot_sources = ["A", "A2"]', 'noun = "*"\nverbs = ["get"]'),
    ],
)
def test_a_route_that_keeps_something_to_itself_is_allowed(earlier: str, later: str) -> None:
    assert shadow_of(earlier, later) == ""


def test_several_earlier_routes_can_shadow_one_together() -> None:
    said = shadow_of(
        'noun = "MeterReadings"\nverbs = ["get"]',
        'noun = "MeterConfig"\nverbs = ["get", "create"]',
        'noun = ["MeterReadings", "MeterConfig"]\nverbs = ["get"]',
    )
    assert "Route 3 can never fire: route 1 (line 4) and route 2 (line 7) before it" in said
