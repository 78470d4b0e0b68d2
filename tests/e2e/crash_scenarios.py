"""What goes through a gateway that is killed meanwhile, and how it must end, whatever happens to the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.e2e.registry import BASE, FINAL, KEY, Registry, execute, operation

_MDM = '[system]\nname = "MDM"\n'
_OPERATIONS = '[[route]]\nnoun = "MeterConfig"\nverbs = ["create", "delete"]\n'
_CREATES = '[[route]]\nnoun = "MeterConfig"\nverbs = ["create"]\n'
_LIMIT = 10.0
_CORRELATION = "c-1"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One request, the systems that it goes to, and what must come of it.

    `does` is the sentence about it on the page of results. `routes` gives each system's routing table, `{limit}` in
    it is `limit`, in seconds. `meters` are those that each system of `answering` has in the end; `heard` names queues
    and what arrives there once: its correlation id. `named` is whether the request carries any id. `first` is where a
    gateway before the one under test was killed already, if one was; `sample` the kill in `make test`, if it has one.
    """

    name: str
    does: str
    asked: bytes
    key: str
    routes: Mapping[str, str]
    result: str
    codes: frozenset[str]
    meters: frozenset[str]
    sample: str
    answering: tuple[str, ...] = ("MDM",)
    failures: Mapping[tuple[str, str], str] = field(default_factory=dict)
    silent: frozenset[tuple[str, str]] = frozenset()
    deaf: bool = False
    events: tuple[tuple[str, bytes], ...] = ()
    heard: Mapping[str, str] = field(default_factory=dict)
    named: bool = True
    state: str = "done"
    alarm: bool = False
    first: str = ""
    limit: float = _LIMIT

    @property
    def echoed(self) -> str | None:
        """The CorrelationID of the answer."""
        return _CORRELATION if self.named else None

    def registries(self) -> list[Registry]:
        """The systems that answer, as they are before anything was asked."""
        return [
            Registry(name, self.failures, silent=self.silent, deaf=self.deaf, events=self.events)
            for name in self.answering
        ]


def _request(noun: str, payload: str, *, named: bool = True) -> bytes:
    ids = f"<MessageID>m-1</MessageID><CorrelationID>{_CORRELATION}</CorrelationID>" if named else ""
    return f"""<RequestMessage xmlns="{FINAL}">
  <Header><Verb>create</Verb><Noun>{noun}</Noun><Source>CIS</Source><ReplyAddress>queue:replies</ReplyAddress>{ids}
  </Header><Payload>{payload}</Payload>
</RequestMessage>""".encode()


def _creates(*mrids: str) -> bytes:
    operations = (operation(number, "create", mrid) for number, mrid in enumerate(mrids, 1))
    return execute(*operations, sequence=True, integrity=True, correlation=_CORRELATION)


_METER = f'<MeterConfig xmlns="{BASE}MeterConfig#"><Meter><mRID>a</mRID></Meter></MeterConfig>'
_CREATE = _request("MeterConfig", _METER)
_CREATE_KEY = "TESTING.REQUESTS.MeterConfig.create"
_SET_ROUTES = {"MDM": _MDM + _OPERATIONS}
_CONTROL = _request(
    "EndDeviceControls",
    f'<EndDeviceControls xmlns="{BASE}EndDeviceControls#"><EndDeviceControl><issuerTrackingID>DC-1</issuerTrackingID>'
    '<EndDeviceControlType ref="3.31.0.23"/><EndDevices><mRID>a</mRID></EndDevices></EndDeviceControl>'
    "</EndDeviceControls>",
)
_CONSEQUENCE = f"""<EventMessage xmlns="{FINAL}">
  <Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun><Source>MDM</Source><MessageID>e-1</MessageID></Header>
  <Payload><EndDeviceEvents xmlns="{BASE}EndDeviceEvents#"><EndDeviceEvent>
    <createdDateTime>2026-03-01T04:12:00Z</createdDateTime><issuerTrackingID>DC-1</issuerTrackingID>
    <EndDeviceEventType ref="3.31.0.42"/></EndDeviceEvent></EndDeviceEvents></Payload>
</EventMessage>""".encode()

SCENARIOS = (
    Scenario(
        "a set, all succeed",
        "An OperationSet of three creates, with integrity and sequence: all are done, and the asker reads OK.",
        _creates("a", "b", "c"),
        KEY,
        _SET_ROUTES,
        result="OK",
        codes=frozenset({"0.0"}),
        meters=frozenset("abc"),
        sample="",  # what it shows, the next one shows too
    ),
    Scenario(
        "a set, the last fails",
        "The same, but the third create fails: none of it is left, and the asker reads FAILED.",
        _creates("a", "b", "c"),
        KEY,
        _SET_ROUTES,
        result="FAILED",
        codes=frozenset({"5.9", "2.12"}),
        meters=frozenset(),
        sample="committed:4",
        failures={("create", "c"): "2.12"},
        state="failed",
    ),
    Scenario(
        "a set, undoing it times out",
        "Of two creates the second fails, and the system gives no answer to the delete that undoes the first: the "
        "asker reads FAILED with 5.3, and the conversation is in alarm until a person closes it.",
        _creates("a", "b"),
        KEY,
        {"MDM": _MDM + _OPERATIONS + "timeout = {limit}\n"},
        result="FAILED",
        codes=frozenset({"5.3", "2.12"}),
        meters=frozenset("a"),
        sample="written:3",
        failures={("create", "b"): "2.12"},
        silent=frozenset({("delete", "a")}),
        state="failed",
        alarm=True,
    ),
    Scenario(
        "two receivers, one answer",
        "A create that two systems receive; their replies are put together (replies = aggregate) into one OK.",
        _CREATE,
        _CREATE_KEY,
        {name: f'[system]\nname = "{name}"\n{_CREATES}replies = "aggregate"\n' for name in ("MDM", "MS")},
        result="OK",
        codes=frozenset(),
        meters=frozenset("a"),
        sample="written:1",
        answering=("MDM", "MS"),
    ),
    Scenario(
        "no id at all",
        "A create without MessageID and CorrelationID, sent without a message_id of the transport: what comes again is "
        "known by its bytes and the broker's mark, and is not carried out twice.",
        _request("MeterConfig", _METER, named=False),
        _CREATE_KEY,
        {"MDM": _MDM + _CREATES},
        result="OK",
        codes=frozenset(),
        meters=frozenset("a"),
        sample="acknowledge:1",
        named=False,
    ),
    Scenario(
        "told to others on success",
        'A create whose route says publish = "on-success": after the answer another system receives the event created, '
        "once, with the asker's CorrelationID.",
        _CREATE,
        _CREATE_KEY,
        {
            "MDM": f'{_MDM}{_CREATES}publish = "on-success"\n',
            "OMS": '[system]\nname = "OMS"\n[[route]]\nnoun = "MeterConfig"\nverbs = ["created"]\n',
        },
        result="OK",
        codes=frozenset(),
        meters=frozenset("a"),
        sample="publish:3",
        heard={"cim.OMS": _CORRELATION},
    ),
    Scenario(
        "an event that follows",
        "A control, its answer, and then an event that carries the issuerTrackingID of the control and no "
        "CorrelationID: the asker receives it, once, with the id that it sent.",
        _CONTROL,
        "TESTING.REQUESTS.EndDeviceControls.create",
        {
            "MDM": _MDM + '[[route]]\nnoun = "EndDeviceControls"\nverbs = ["create"]\n',
            "CIS": '[system]\nname = "CIS"\n[[route]]\nnoun = "EndDeviceEvents"\nverbs = ["created"]\n',
        },
        result="OK",
        codes=frozenset(),
        meters=frozenset("a"),
        sample="commit:3",
        events=(("TESTING.EVENTS.EndDeviceEvents.created", _CONSEQUENCE),),
        heard={"cim.CIS": _CORRELATION},
    ),
    Scenario(
        "a deadline that passes",
        "A create that the system never answers: after a second the asker reads FAILED with 4.1.",
        _CREATE,
        _CREATE_KEY,
        {"MDM": f"{_MDM}{_CREATES}timeout = 1\n"},
        result="FAILED",
        codes=frozenset({"4.1"}),
        meters=frozenset(),
        sample="due:2",
        silent=frozenset({("create", "a")}),
        state="timed_out",
    ),
    Scenario(
        "sent again, unconfirmed",
        "A create that a gateway sent before it was killed, without having noted the broker's confirm; the system has "
        "carried it out, but its answer was lost. The next gateway sends it again when its time has come, marked, and "
        "is killed while it does.",
        _CREATE,
        _CREATE_KEY,
        {"MDM": _MDM + _CREATES},
        result="OK",
        codes=frozenset(),
        meters=frozenset("a"),
        sample="due:1",
        deaf=True,
        first="acknowledged:1",
    ),
)
