"""Generated traffic with what must become of each message: five nouns, all their verbs, both namespaces, valid or not.

What is expected is written down here by hand, beside the routes in `ROUTES`, and not asked from the gateway's own code.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

FINAL: Final = "http://iec.ch/TC57/2011/schema/message"
DRAFT: Final = "http://www.iec.ch/TC57/2011/schema/message"

ROUTES: Final = {
    "mdm.toml": """
        [system]
        name = "MDM"
        [[route]]
        noun = "*"
        verbs = ["created", "changed", "canceled", "closed", "deleted"]
        """,
    "ms.toml": """
        [system]
        name = "MS"
        [[route]]
        noun = ["MeterReadings", "EndDeviceEvents", "EndDeviceControls", "MeterReadSchedule"]
        verbs = ["get", "create", "change", "cancel", "close", "delete"]
        """,
    "cis.toml": """
        [system]
        name = "CIS"
        [[route]]
        noun = "MeterServiceRequests"
        verbs = ["*"]
        [[route]]
        noun = "MeterReadings"
        verbs = ["created"]
        """,
    "oms.toml": """
        [system]
        name = "OMS"
        [[route]]
        noun = "EndDeviceEvents"
        verbs = ["created"]
        events = ["*.26.*.*"]
        """,
}

PAYLOADS: Final = {
    "MeterReadings": "<MeterReading><Meter><mRID>{id}</mRID></Meter>"
    "<Readings><timeStamp>2026-03-01T00:15:00Z</timeStamp>"
    '<value>12.5</value><ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></Readings></MeterReading>',
    "EndDeviceEvents": "<EndDeviceEvent><mRID>{id}</mRID><createdDateTime>2026-03-01T04:12:00Z</createdDateTime>"
    '<EndDeviceEventType ref="{event}"/></EndDeviceEvent>',
    "EndDeviceControls": '<EndDeviceControl><mRID>{id}</mRID><EndDeviceControlType ref="3.31.0.23"/>'
    "<EndDevices><mRID>M-1</mRID></EndDevices></EndDeviceControl>",
    "MeterReadSchedule": "<EndDevice><mRID>{id}</mRID></EndDevice>"
    "<TimeSchedule><recurrencePeriod>900</recurrencePeriod></TimeSchedule>",
    "MeterServiceRequests": "{service}",
}
REQUESTS: Final = ("get", "create", "change", "cancel", "close", "delete")
EVENTS: Final = ("created", "changed", "canceled", "closed", "deleted")


@dataclass(frozen=True)
class Sample:
    """One message, the systems that must get it, or the code of its dead letter."""

    name: str
    id: str
    body: bytes
    key: str
    to: frozenset[str] = frozenset()
    dead: str = ""
    reply: bool = False


@dataclass
class Parts:
    """A message before it is written down; the ways to spoil one change these."""

    kind: str
    verb: str
    noun: str
    namespace: str = FINAL
    context: str = "TESTING"
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    header_end: str = ""
    after_source: str = ""
    request: str = ""
    payload: str = ""
    reply: str = ""

    def xml(self) -> bytes:
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<{self.kind} xmlns="{self.namespace}">\n  <Header>\n'
            f"    <Verb>{self.verb}</Verb>\n    <Noun>{self.noun}</Noun>\n    <Revision>1</Revision>\n"
            f"    <Context>{self.context}</Context>\n    <Timestamp>2026-03-01T08:00:00Z</Timestamp>\n"
            f"    <Source>GEN</Source>\n{self.after_source}    <MessageID>{self.id}</MessageID>\n"
            f"    <CorrelationID>{self.id}</CorrelationID>\n    <Comment>{self.id}</Comment>\n"
            f"{self.header_end}  </Header>\n"
            f"{self.request}{self.reply}{self.payload}</{self.kind}>\n"
        ).encode()


def payload_of(noun: str, identity: str, event: str = "3.26.0.85") -> str:
    service = f"<MeterServiceWork><Meter><mRID>{identity}</mRID></Meter></MeterServiceWork>"
    inner = PAYLOADS[noun].format(id=identity, event=event, service=service)
    return f'  <Payload>\n    <{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">\n{inner}\n    </{noun}>\n  </Payload>\n'


def parts(noun: str, verb: str, namespace: str = FINAL, event: str = "3.26.0.85") -> Parts:
    """A valid message of this noun and verb."""
    made = Parts("EventMessage" if verb in EVENTS else "RequestMessage", verb, noun, namespace)
    if verb in EVENTS or verb in ("create", "change"):
        made.payload = payload_of(noun, made.id, event)
    elif verb == "get" and noun in ("MeterReadings", "EndDeviceEvents"):
        device = "EndDevice" if noun == "MeterReadings" else "Meter"
        made.request = (
            f'  <Request><Get{noun} xmlns="http://iec.ch/TC57/2011/Get{noun}#">'
            f"<{device}><mRID>M-7</mRID></{device}></Get{noun}></Request>\n"
        )
    else:
        made.request = "  <Request><ID>6f9d3a52-0000-4000-8000-000000000001</ID></Request>\n"
    return made


def receivers(noun: str, verb: str, event: str) -> frozenset[str]:
    """Who receives a valid message, by `ROUTES`."""
    found = {"MDM"} if verb in EVENTS else set()
    if verb in REQUESTS and noun != "MeterServiceRequests":
        found.add("MS")
    if noun == "MeterServiceRequests" or (noun, verb) == ("MeterReadings", "created"):
        found.add("CIS")
    if (noun, verb) == ("EndDeviceEvents", "created") and event.startswith("3.26."):
        found.add("OMS")
    return frozenset(found)


def key_of(made: Parts) -> str:
    branch = "EVENTS" if made.kind == "EventMessage" else "REQUESTS"
    return f"TESTING.{branch}.{made.noun}.{made.verb}"


def valid() -> Iterator[Sample]:
    """Every noun with every verb in both namespaces."""
    for noun in PAYLOADS:
        for verb in (*REQUESTS, *EVENTS):
            for namespace in (FINAL, DRAFT):
                several = (noun, verb) == ("EndDeviceEvents", "created")
                for event in ("3.26.0.85", "3.12.0.257") if several else ("3.26.0.85",):
                    made = parts(noun, verb, namespace, event)
                    name = f"{verb}({noun}) {'draft' if namespace == DRAFT else 'final'} {event}"
                    yield Sample(name, made.id, made.xml(), key_of(made), to=receivers(noun, verb, event))


def spoiled(name: str, code: str, made: Parts, change: Callable[[Parts], bytes | None]) -> Sample:
    body = change(made) or made.xml()
    reply = made.kind == "RequestMessage"
    return Sample(name, made.id, body, key_of(made), dead=code, reply=reply)


def invalid() -> Iterator[Sample]:
    """For each noun and namespace the common ways to be wrong, with the code that the sender must hear."""
    for noun in PAYLOADS:
        for namespace in (FINAL, DRAFT):
            for name, code, verb, change in WAYS:
                made = parts(noun, verb, namespace)
                yield spoiled(f"{name}: {verb}({noun}) {namespace[7:10]}", code, made, change)


def _unreadable(made: Parts) -> bytes:
    return made.xml()[:-25]


def _set(**changes: str) -> Callable[[Parts], None]:
    def change(made: Parts) -> None:
        for name, value in changes.items():
            setattr(made, name, value.replace("{id}", made.id).replace("{noun}", made.noun))

    return change


def _other_payload(made: Parts) -> None:
    other = "MeterReadSchedule" if made.noun != "MeterReadSchedule" else "EndDeviceControls"
    made.payload = payload_of(other, made.id)


def _two_roots(made: Parts) -> None:
    inner = made.payload.split("<Payload>")[1].split("</Payload>")[0]
    made.payload = f"  <Payload>{inner}{inner}</Payload>\n"


WAYS: Final[tuple[tuple[str, str, str, Callable[[Parts], bytes | None]], ...]] = (
    ("not well-formed", "1.8", "created", _unreadable),
    ("wrong verb", "2.9", "create", _set(verb="Create")),
    ("past-tense request", "2.9", "create", _set(verb="created")),
    ("unknown element", "1.8", "created", _set(payload='  <Payload><{noun} xmlns="http://iec.ch/TC57/2011/{noun}#"><Wrong/></{noun}></Payload>\n')),
    ("noun and payload disagree", "2.5", "change", _other_payload),
    ("unknown noun", "2.5", "create", _set(noun="MeterReadingz")),
    ("foreign context", "7.7", "created", _set(context="PRODUCTION")),
    ("asynchronous without address", "1.5", "get", _set(after_source="    <AsyncReplyFlag>true</AsyncReplyFlag>\n")),
    ("two payload roots", "1.8", "changed", _two_roots),
    ("bad base64", "1.8", "created", _set(payload="  <Payload><Compressed>%%%</Compressed></Payload>\n")),
    ("no id to delete", "1.6", "delete", _set(request="")),
    ("no payload", "1.7", "create", _set(payload="")),
)  # fmt: skip


def traffic(seed: int) -> list[Sample]:
    """All of it, shuffled."""
    samples = [*valid(), *invalid()]
    random.Random(seed).shuffle(samples)  # noqa: S311 - order of a test
    return samples


def readings(count: int, size: int = 0) -> Iterator[Sample]:
    """Many events of meter readings, each with an id of its own, of about `size` bytes."""
    reading = (
        "<Readings><timeStamp>2026-03-01T00:15:00Z</timeStamp><value>12.5</value>"
        '<ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/></Readings>'
    )
    for _ in range(count):
        made = parts("MeterReadings", "created")
        more = max(0, size - len(made.xml())) // len(reading)
        made.payload = made.payload.replace("</Readings>", "</Readings>" + reading * more, 1)
        yield Sample("created(MeterReadings)", made.id, made.xml(), key_of(made), to=frozenset({"MDM", "CIS"}))
