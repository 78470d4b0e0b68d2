from collections.abc import Callable
from textwrap import dedent

import pytest

from gateway.message import Message, MessageKind
from gateway.message.compression import compress
from gateway.routing import Route, RouteTable

MakeMessage = Callable[..., Message]
Load = Callable[..., RouteTable]
PayloadWith = Callable[..., str]

PREFIX = '[system]\nname = "A"\nsources = ["A", "A2"]\n[[route]]\n'


def receivers(table: RouteTable, message: Message) -> list[str]:
    return [route.system.name for route in table.match(message)]


def test_a_message_goes_to_each_system_once_in_the_order_of_their_names(routes: Load, message: MakeMessage) -> None:
    every = '[[route]]\nnoun = "MeterReadings"\nverbs = ["get"]\n[[route]]\nnoun = "*"\nverbs = ["*"]\n'
    table = routes(x=f'[system]\nname = "Z"\n{every}', y=f'[system]\nname = "B"\n{every}')
    fired = table.match(message("MeterReadings", "get"))
    assert [(route.system.name, route.number) for route in fired] == [("B", 1), ("Z", 1)]
    assert [route.number for route in table.match(message("MeterConfig", "get"))] == [2, 2]


def test_the_first_route_that_matches_fires(routes: Load, message: MakeMessage) -> None:
    table = routes(
        a=PREFIX
        + dedent("""\
            name = "narrow"
            noun = "MeterReadings"
            verbs = ["get"]
            sources = ["CIS"]
            [[route]]
            name = "wide"
            noun = "MeterReadings"
            verbs = ["get"]
            """)
    )
    assert [route.name for route in table.match(message("MeterReadings", "get", source="CIS"))] == ["narrow"]
    assert [route.name for route in table.match(message("MeterReadings", "get", source="OMS"))] == ["wide"]


@pytest.mark.parametrize(
    ("criterion", "matching", "other"),
    [
        ('contexts = ["TESTING", "STUDY"]', {"context": "STUDY"}, {"context": "TRAINING"}),
        ('contexts = ["TESTING"]', {}, {"context": None}),
        ('sources = ["CIS"]', {"source": "CIS"}, {"source": "OMS"}),
        ('sources = ["CIS"]', {"source": "CIS"}, {"source": None}),
        ('not_sources = ["CIS"]', {"source": "OMS"}, {"source": "CIS"}),
        ('not_sources = ["CIS"]', {"source": None}, {"source": "CIS"}),
        ('properties = { Urgent = "yes" }', {"properties": {"Urgent": "yes"}}, {"properties": {"Urgent": "no"}}),
        ('properties = { Urgent = ["yes", "1"] }', {"properties": {"Urgent": "1"}}, {}),
        ('properties = { Urgent = "*" }', {"properties": {"Urgent": "no"}}, {"properties": {"Other": "no"}}),
        ('not_properties = { Urgent = "yes" }', {"properties": {"Urgent": "no"}}, {"properties": {"Urgent": "yes"}}),
        ('not_properties = { Urgent = "*" }', {}, {"properties": {"Urgent": "no"}}),
    ],
)
def test_a_criterion_admits_what_it_names_and_nothing_else(
    routes: Load, message: MakeMessage, criterion: str, matching: dict[str, object], other: dict[str, object]
) -> None:
    table = routes(a=f'{PREFIX}noun = "MeterReadings"\nverbs = ["get"]\n{criterion}\n')
    assert receivers(table, message("MeterReadings", "get", **matching)) == ["A"]
    assert receivers(table, message("MeterReadings", "get", **other)) == []


def test_all_criteria_of_a_route_must_hold(routes: Load, message: MakeMessage) -> None:
    table = routes(a=f'{PREFIX}noun = "MeterReadings"\nverbs = ["get"]\nsources = ["CIS"]\ncontexts = ["TESTING"]\n')
    assert receivers(table, message("MeterReadings", "get", source="CIS")) == ["A"]
    assert receivers(table, message("MeterReadings", "get", source="CIS", context="STUDY")) == []


@pytest.mark.parametrize(
    ("pattern", "codes", "receiver"),
    [
        ("*.26.*.*", ["3.26.0.85"], ["A"]),
        ("*.26.*.*", ["3.12.0.257"], []),
        ("*.26.*.*", ["3.12.0.257", "26.26.38.47"], ["A"]),
        ("3.26.0.85", ["3.26.0.85"], ["A"]),
        ("3.26.0.85", ["3.26.0.851"], []),
        ("*.26.*.*", [" 3.26.0.85 "], ["A"]),
        ("*.26.*.*", ["power failed", "3.26.0", "3.26.0.85.1"], []),
        ("*.*.*.*", [], []),
    ],
)
def test_a_route_by_event_fires_if_any_event_of_the_message_fits(
    routes: Load, message: MakeMessage, payload_with: PayloadWith, pattern: str, codes: list[str], receiver: list[str]
) -> None:
    table = routes(a=f'{PREFIX}noun = "EndDeviceEvents"\nverbs = ["created"]\nevents = ["{pattern}"]\n')
    payload = payload_with("EndDeviceEvents", "EndDeviceEventType", *codes)
    assert receivers(table, message("EndDeviceEvents", "created", payload=payload)) == receiver


def test_a_route_by_control_and_one_by_reading_look_at_their_own_codes(
    routes: Load, message: MakeMessage, payload_with: PayloadWith
) -> None:
    energy = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
    table = routes(
        a=f'{PREFIX}noun = "EndDeviceControls"\nverbs = ["create"]\ncontrols = ["*.31.0.23"]\n',
        b='[system]\nname = "B"\n[[route]]\nnoun = "MeterReadings"\nverbs = ["created"]\n'
        f'readings = ["{".".join(["*"] * 16)}.72.0"]\n',
    )
    control = payload_with("EndDeviceControls", "EndDeviceControlType", "3.31.0.23")
    reading = payload_with("MeterReadings", "ReadingType", energy)
    assert receivers(table, message("EndDeviceControls", "create", payload=control)) == ["A"]
    assert receivers(table, message("EndDeviceControls", "create", payload=reading)) == []
    assert receivers(table, message("MeterReadings", "created", payload=reading)) == ["B"]


def test_codes_are_found_inside_the_operations_of_a_set(
    routes: Load, message: MakeMessage, payload_with: PayloadWith
) -> None:
    table = routes(a=f'{PREFIX}noun = "OperationSet"\nverbs = ["execute"]\ncontrols = ["*.31.*.*"]\n')
    inner = payload_with("EndDeviceControls", "EndDeviceControlType", "3.31.0.18")
    operations = f"<OperationSet><Operation><operationId>1</operationId>{inner}</Operation></OperationSet>"
    assert receivers(table, message("OperationSet", "execute", payload=operations)) == ["A"]


def test_codes_are_found_inside_a_compressed_payload(
    routes: Load, message: MakeMessage, payload_with: PayloadWith
) -> None:
    table = routes(a=f'{PREFIX}noun = "EndDeviceEvents"\nverbs = ["created"]\nevents = ["*.26.*.*"]\n')
    packed = compress(payload_with("EndDeviceEvents", "EndDeviceEventType", "3.26.0.85").encode())
    for text, receiver in (
        (f"<Compressed>{packed}</Compressed>", ["A"]),
        (f"<Compressed>{packed}</Compressed><Format>XML</Format>", ["A"]),
        (f"<Compressed>{packed}</Compressed><Format>CSV</Format>", []),
        ("<Compressed>no base64</Compressed>", []),
        (f"<Compressed>{compress(b'no XML')}</Compressed>", []),
    ):
        assert receivers(table, message("EndDeviceEvents", "created", payload=text)) == receiver, text


def test_a_message_without_a_payload_has_no_codes(routes: Load, message: MakeMessage) -> None:
    table = routes(a=f'{PREFIX}noun = "EndDeviceEvents"\nverbs = ["created"]\nevents = ["*.*.*.*"]\n')
    assert receivers(table, message("EndDeviceEvents", "created")) == []


def test_a_system_never_receives_its_own_event_under_any_of_its_sources(routes: Load, message: MakeMessage) -> None:
    table = routes(a=f'{PREFIX}noun = "*"\nverbs = ["*"]\n')
    for source in ("A", "A2"):
        assert receivers(table, message("MeterReadings", "created", source=source)) == []
        assert receivers(table, message("MeterReadings", "get", source=source)) == ["A"]
    assert receivers(table, message("MeterReadings", "created", source=None)) == ["A"]


def test_replies_and_faults_are_no_matter_of_routes(routes: Load, message: MakeMessage) -> None:
    table = routes(a=f'{PREFIX}noun = "*"\nverbs = ["*"]\n')
    assert table.match(message("MeterReadings", "reply", kind=MessageKind.RESPONSE)) == ()
    assert table.match(message("MeterReadings", "created", kind=MessageKind.RESPONSE)) == ()


def test_systems_and_routes_can_be_listed(routes: Load) -> None:
    table = routes(
        b='[system]\nname = "B"\naddress = "queue:other.b"\n[[route]]\nnoun = "MeterConfig"\nverbs = ["get"]\n',
        a=f'{PREFIX}name = "all"\nnote = "for the archive"\nnoun = "*"\nverbs = ["*"]\n',
    )
    assert [(system.name, system.address, system.file) for system in table.systems.values()] == [
        ("A", "queue:cim.A", "a.toml"),
        ("B", "queue:other.b", "b.toml"),
    ]
    first, second = table.routes
    assert isinstance(first, Route)
    assert (first.name, first.note, first.line, first.nouns, first.verbs) == (
        "all", "for the archive", 4, ("*",), ("*",),
    )  # fmt: skip
    assert first.label == "A route 1 'all' (a.toml:4)"
    assert second.system.sources == ("B",)
