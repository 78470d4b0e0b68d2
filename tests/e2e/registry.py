"""A system that keeps meters, and the OperationSets that change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from gateway.broker.partner import Arrival, Partner
from gateway.broker.session import Access

FINAL = "http://iec.ch/TC57/2011/schema/message"
DRAFT = "http://www.iec.ch/TC57/2011/schema/message"
BASE = "http://iec.ch/TC57/2011/"
KEY = "TESTING.REQUESTS.OperationSet.execute"
ROUTES = """[system]
name = "{name}"
[[route]]
noun = ["MeterConfig", "UsagePointConfig", "MasterDataLinkageConfig"]
verbs = ["create", "change", "delete"]
{more}
[[route]]
noun = "MeterConfig"
verbs = ["get"]
"""


def operation(number: int, verb: str, mrid: str) -> str:
    return (
        f"<Operation><operationId>{number}</operationId><noun>MeterConfig</noun><verb>{verb}</verb>"
        f'<MeterConfig xmlns="{BASE}MeterConfig#"><Meter><mRID>{mrid}</mRID></Meter></MeterConfig></Operation>'
    )


def execute(
    *operations: str,
    sequence: bool | None = None,
    integrity: bool | None = None,
    space: str = FINAL,
    message_id: str = "set-1",
    correlation: str = "",
) -> bytes:
    flags = "".join(
        f"<{name}>{str(value).lower()}</{name}>"
        for name, value in (("enforceMsgSequence", sequence), ("enforceTransactionalIntegrity", integrity))
        if value is not None
    )
    ids = f"<MessageID>{message_id}</MessageID>" + (
        f"<CorrelationID>{correlation}</CorrelationID>" if correlation else ""
    )
    return f"""<RequestMessage xmlns="{space}">
  <Header><Verb>execute</Verb><Noun>OperationSet</Noun><Source>CIS</Source><ReplyAddress>queue:replies</ReplyAddress>
    {ids}</Header>
  <Payload><OperationSet>{flags}{"".join(operations)}</OperationSet></Payload>
</RequestMessage>""".encode()


@dataclass
class Registry:
    """A system that keeps meters by mRID, and fails where its script says so: (verb, mRID) -> reply code.

    A request that comes again, by its MessageID, is not carried out again: the reply it had is sent again. It gives no
    answer to what is in `silent`, which it does not carry out either, and where it is `deaf` none to the first copy of
    anything. `events` (routing key and body) are published once, after the first answer.
    """

    name: str
    failures: Mapping[tuple[str, str], str] = field(default_factory=dict)
    meters: set[str] = field(default_factory=set)
    silent: frozenset[tuple[str, str]] = frozenset()
    deaf: bool = False
    events: tuple[tuple[str, bytes], ...] = ()
    asked: list[tuple[str, str]] = field(default_factory=list)
    answered: dict[str, bytes] = field(default_factory=dict)
    repeated: int = 0
    unmarked: int = 0

    async def serve(self, url: str) -> None:
        async with await Partner.open(Access(url, self.name)) as partner:
            await partner.watch(f"cim.{self.name}")
            while True:
                arrival = await partner.arrivals.get()
                known = len(self.answered)
                reply = self.answer_once(arrival)
                if reply and not (self.deaf and len(self.answered) > known):
                    await partner.send_to_queue(reply, "cim.in.TESTING")
                    events, self.events = self.events, ()
                    for key, event in events:
                        await partner.send(event, key)

    def answer_once(self, arrival: Arrival) -> bytes:
        message_id = etree.fromstring(arrival.body).findtext("{*}Header/{*}MessageID") or ""
        if message_id in self.answered:
            self.repeated += 1
            self.unmarked += arrival.headers.get("cim-redelivered") is not True
        else:
            self.answered[message_id] = self.answer(arrival)
        return self.answered[message_id]

    def answer(self, arrival: Arrival) -> bytes:
        root = etree.fromstring(arrival.body)
        space = etree.QName(root).namespace
        verb = root.findtext(f"{{{space}}}Header/{{{space}}}Verb") or ""
        noun = root.findtext(f"{{{space}}}Header/{{{space}}}Noun") or ""
        correlation = root.findtext(f"{{{space}}}Header/{{{space}}}CorrelationID")
        [mrid] = [e.text or "" for e in root.iter(f"{{{BASE}{noun}#}}mRID", f"{{{space}}}ID")]
        self.asked.append((verb, mrid))
        if (verb, mrid) in self.silent:
            return b""
        code = self.failures.get((verb, mrid), "") or self.carry_out(verb, mrid)
        payload = ""
        if verb == "get" and not code:
            payload = (
                f'<Payload><MeterConfig xmlns="{BASE}MeterConfig#"><Meter><mRID>{mrid}</mRID></Meter>'
                "</MeterConfig></Payload>"
            )
        result = f"<Result>FAILED</Result><Error><code>{code}</code></Error>" if code else "<Result>OK</Result>"
        return f"""<ResponseMessage xmlns="{space}">
  <Header><Verb>reply</Verb><Noun>{noun}</Noun><Source>{self.name}</Source>
    <MessageID>{self.name}-{len(self.asked)}</MessageID><CorrelationID>{correlation}</CorrelationID></Header>
  <Reply>{result}</Reply>{payload}
</ResponseMessage>""".encode()

    def carry_out(self, verb: str, mrid: str) -> str:
        match verb:
            case "create":
                if mrid in self.meters:
                    return "2.4"
                self.meters.add(mrid)
            case "delete" | "change" | "get" if mrid not in self.meters:
                return "2.4"
            case "delete":
                self.meters.discard(mrid)
        return ""
