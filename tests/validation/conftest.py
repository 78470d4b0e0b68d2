"""Messages for the tests of validation, written part by part, and the checker that judges them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.message import DEFAULT_LIMITS, EnvelopeVersion, Finding, Limits, read
from gateway.validation import Checker, SchemaSet, Verdict

_SCHEMAS = Path(__file__).parents[2] / "schemas"
_READING_TYPE = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
_BASE = "http://iec.ch/TC57/2011/"
_CONTENTS = {
    "MeterReadings": f"""
      <MeterReading>
        <Meter><mRID>meter-1</mRID></Meter>
        <Readings>
          <timeStamp>2024-03-01T00:00:00Z</timeStamp>
          <value>101.5</value>
          <ReadingType ref="{_READING_TYPE}"/>
        </Readings>
      </MeterReading>""",
    "EndDeviceEvents": """
      <EndDeviceEvent>
        <mRID>event-1</mRID>
        <createdDateTime>2024-03-01T00:00:00Z</createdDateTime>
        <EndDeviceEventType ref="3.26.0.85"/>
      </EndDeviceEvent>""",
    "EndDeviceControls": """
      <EndDeviceControl>
        <reason>moved out</reason>
        <EndDeviceControlType ref="3.31.0.23"/>
        <EndDevices><mRID>meter-1</mRID></EndDevices>
        <primaryDeviceTiming><interval><start>2024-03-01T00:00:00Z</start></interval></primaryDeviceTiming>
      </EndDeviceControl>""",
    "GetMeterReadings": "<EndDevice><mRID>meter-1</mRID></EndDevice>",
    "GetEndDeviceEvents": "<Meter><mRID>meter-1</mRID></Meter>",
}


def root_of(noun: str, content: str | None = None, namespace: str | None = None) -> str:
    """Write the payload root of a noun, or a Get profile, with good content unless other is given."""
    return (
        f'<{noun} xmlns="{namespace or f"{_BASE}{noun}#"}">{_CONTENTS[noun] if content is None else content}</{noun}>'
    )


def message_of(
    kind: str = "EventMessage",
    verb: str = "created",
    noun: str = "MeterReadings",
    *,
    header: str = "",
    request: str | None = None,
    reply: str | None = None,
    payload: str | None = None,
    version: EnvelopeVersion = EnvelopeVersion.FINAL,
) -> bytes:
    """Write a message. `header` follows the noun; a part that is None is left out."""
    parts = [f"<Header>\n<Verb>{verb}</Verb>\n<Noun>{noun}</Noun>\n{header}\n</Header>"]
    parts += [
        f"<{name}>\n{text}\n</{name}>"
        for name, text in (("Request", request), ("Reply", reply), ("Payload", payload))
        if text is not None
    ]
    return f'<{kind} xmlns="{version.namespace}">\n{chr(10).join(parts)}\n</{kind}>'.encode()


@pytest.fixture(scope="session")
def sources() -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_SCHEMAS.glob("*.xsd"))}


@pytest.fixture(scope="session")
def schemas(sources: Mapping[str, bytes]) -> SchemaSet:
    return SchemaSet(sources)


@pytest.fixture(scope="session")
def write() -> Callable[..., bytes]:
    return message_of


@pytest.fixture(scope="session")
def root() -> Callable[..., str]:
    return root_of


@pytest.fixture(scope="session")
def check(schemas: SchemaSet) -> Callable[..., Verdict]:
    """Judge the bytes of a message."""

    def check(raw: bytes, *, context: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Verdict:
        return Checker(schemas, context=context, limits=limits).check(read(raw))

    return check


@pytest.fixture(scope="session")
def judge(check: Callable[..., Verdict], sources: Mapping[str, bytes]) -> Callable[..., list[Finding]]:
    """Write a message (as `write` does) and give what is found in it; `lacking` names a schema that is not there."""

    def judge(kind: str = "EventMessage", verb: str = "created", *, lacking: str = "", **parts: Any) -> list[Finding]:
        context = parts.pop("context", None)
        if lacking:
            fewer = SchemaSet({name: raw for name, raw in sources.items() if name != f"{lacking}.xsd"})
            return list(Checker(fewer, context=context).check(read(message_of(kind, verb, **parts))).findings)
        return list(check(message_of(kind, verb, **parts), context=context).findings)

    return judge
