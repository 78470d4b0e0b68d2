"""One line of a batch: a device that lost power, or has it back."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from gateway.outages import BadState, Device, DeviceName, Happening, Power, What

VERSION: Final = 1
"""The version of the documents that are written; those of another version are refused."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a device. Times in microseconds since 1970; `lasted` likewise, None where it is not known.

    `what` is a change of how the device stands, `at` when, `since` when the report was made, `before` how it stood.
    `code` and `severity` are the event's own, `event_id` its mRID. `number` is what it is known by while it waits.
    """

    device: Device
    code: str
    what: What
    at: int
    since: int
    before: Power
    lasted: int | None = None
    severity: str = ""
    event_id: str = ""
    number: int = 0

    @classmethod
    def of(cls, happening: Happening, now: int, number: int = 0) -> Self:
        """Report what happened."""
        event = happening.event
        return cls(
            event.device,
            event.code,
            happening.what,
            happening.at,
            now,
            happening.before.power,
            happening.lasted,
            event.severity,
            event.id,
            number,
        )


_FIELDS: Final = tuple(field.name for field in fields(Report) if field.name != "device")


def reports_to_json(reports: Iterable[Report]) -> str:
    """Write reports that wait, so that they survive a stop."""
    return json.dumps({"version": VERSION, "reports": [_document(report) for report in reports]}, separators=(",", ":"))


def reports_from_json(text: str) -> tuple[Report, ...]:
    """Read them back. Raises `BadState` where the text holds none of this version."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise BadState(f"Reports of version {document['version']}; this gateway reads version {VERSION}.")
        return tuple(_report(item) for item in document["reports"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, BadState) else BadState(f"No reports: {error}.") from error


def _document(report: Report) -> dict[str, Any]:
    """Give the fields of a report; `asdict` copies deeply, and took as long as all else that is done for it."""
    document = {name: getattr(report, name) for name in _FIELDS}
    device = report.device
    names = {field: [_name(name) for name in getattr(device, field)] for field in ("names", "point_names")}
    return document | {"device": {"mrid": device.mrid, "point_mrid": device.point_mrid, **names}}


def _name(name: DeviceName) -> dict[str, str]:
    return {"name": name.name, "name_type": name.name_type, "authority": name.authority}


def _report(item: dict[str, Any]) -> Report:
    device = item["device"]
    names = {field: tuple(DeviceName(**name) for name in device[field]) for field in ("names", "point_names")}
    return Report(
        **{**item, "device": Device(**{**device, **names}), "what": What(item["what"]), "before": Power(item["before"])}
    )
