"""For each rule about the meaning of a payload: a piece of a message that breaks it, and the same put right.

The pieces are what stands inside the payload root of the noun; a test holds them against the rules.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Example:
    """The noun, the lines that break the rule, and the lines that do not."""

    noun: str
    wrong: str
    right: str


def _reading(
    time: str, kind: str = '<ReadingType ref="0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>', more: str = ""
) -> str:
    return f"""\
<MeterReading>
  <Readings>
    <timeStamp>{time}</timeStamp>
    {kind}
  </Readings>
</MeterReading>{more}"""


def _block(*times: str) -> str:
    readings = "\n".join(f"    <IntervalReadings><timeStamp>{time}</timeStamp></IntervalReadings>" for time in times)
    return f"""\
<MeterReading>
  <IntervalBlocks>
{readings}
    <ReadingType ref="0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"/>
  </IntervalBlocks>
</MeterReading>"""


def _control(timing: str) -> str:
    return f"""\
<EndDeviceControl>
  <EndDeviceControlType ref="3.31.0.23"/>{timing}
</EndDeviceControl>"""


_NOON: Final = "2026-03-17T12:00:00+01:00"
_TYPE: Final = '<ReadingType ref="energy"/>'
_EVENT: Final = """\
<EndDeviceEvent>
  <mRID>e-1</mRID>
  <createdDateTime>2026-03-17T12:00:00Z</createdDateTime>
  <EndDeviceEventType ref="{}"/>
</EndDeviceEvent>"""
_TIMING: Final = """
  <primaryDeviceTiming>
    <interval><start>2026-03-17T14:00:00+01:00</start></interval>
  </primaryDeviceTiming>"""

EXAMPLES: Final = {
    "code-syntax": Example("EndDeviceEvents", _EVENT.format("3.26.85"), _EVENT.format("3.26.0.85")),
    "ref-dangling": Example(
        "MeterReadings",
        _reading(_NOON, _TYPE),
        _reading(_NOON, _TYPE, "\n<ReadingType><Names><name>energy</name></Names></ReadingType>"),
    ),
    "ref-empty": Example("EndDeviceEvents", _EVENT.format("?"), _EVENT.format("3.26.0.85")),
    "timestamp-offset": Example("MeterReadings", _reading("2026-03-17T12:00:00"), _reading(_NOON)),
    "timestamp-24": Example(
        "MeterReadings", _reading("2026-03-17T24:00:00+01:00"), _reading("2026-03-18T00:00:00+01:00")
    ),
    "period-backwards": Example(
        "GetMeterReadings",
        "<TimeSchedule><scheduleInterval>\n  <end>2026-03-17T00:00:00Z</end>\n  <start>2026-03-18T00:00:00Z</start>\n"
        "</scheduleInterval></TimeSchedule>",
        "<TimeSchedule><scheduleInterval>\n  <end>2026-03-18T00:00:00Z</end>\n  <start>2026-03-17T00:00:00Z</start>\n"
        "</scheduleInterval></TimeSchedule>",
    ),
    "interval-grid": Example(
        "MeterReadings", _block(_NOON, "2026-03-17T12:17:00+01:00"), _block(_NOON, "2026-03-17T12:15:00+01:00")
    ),
    "interval-order": Example("MeterReadings", _block(_NOON, _NOON), _block(_NOON, "2026-03-17T12:15:00+01:00")),
    "control-start": Example("EndDeviceControls", _control(""), _control(_TIMING)),
}
"""By the id of the rule."""
