"""What a message needs besides what its schema demands, so that somebody could act on it.

The profiles leave nearly everything optional: an empty root is valid by most of them and tells nothing.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from gateway.validation.declarations import Element, Group
from gateway.validation.wording import local

SEVERAL: Final[dict[tuple[str, str], int]] = {
    ("MeterReadings", "ReadingType"): 2,
    ("IntervalBlocks", "IntervalReadings"): 2,
}
"""Elements of which a full example has more than one, by parent and name: both reading types that its readings name,
two intervals to show their order."""

_WINDOW: Final = ("TimeSchedule/scheduleInterval/end", "TimeSchedule/scheduleInterval/start")
_WANTED: Final[dict[str, tuple[str, ...]]] = {
    "CustomerMeterDataSet": ("Customer/mRID", "Meter/mRID", "UsagePoint/mRID"),
    "EndDeviceControls": (
        "EndDeviceControl/mRID",
        "EndDeviceControl/EndDevices/mRID",
        "EndDeviceControl/primaryDeviceTiming/interval/start",
    ),
    "EndDeviceEvents": ("EndDeviceEvent/mRID", "EndDeviceEvent/Assets/mRID"),
    "EndDeviceFirmware": (
        "ConfigurationEvent/effectiveDateTime",
        "EndDevice/mRID",
        "ProductAssetModel/modelNumber",
        "ProductAssetModel/modelVersion",
    ),
    "EndDeviceGroups": ("EndDeviceGroup/mRID", "EndDeviceGroup/EndDevices/mRID"),
    "MasterDataLinkageConfig": ("ConfigurationEvent/effectiveDateTime", "Meter/mRID", "UsagePoint/mRID"),
    "MeterReadings": ("MeterReading/Meter/mRID", "MeterReading/Readings/timeStamp", "MeterReading/Readings/value"),
    "MeterReadSchedule": (
        "EndDevice",
        "ReadingType/Names",
        "TimeSchedule/recurrencePeriod",
        *_WINDOW,
    ),
    "MeterServiceRequests": (
        "MeterServiceWork/kind",
        "MeterServiceWork/requestDateTime",
        "MeterServiceWork/Meter/mRID",
        "MeterServiceWork/status/value",
    ),
    "ReceiptRecord": (
        "Receipt/mRID",
        "Receipt/line/amount",
        "Receipt/line/dateTime",
        "Receipt/Tenders/amount",
        "Receipt/Tenders/kind",
    ),
    "TransactionRecord": (
        "Transaction/mRID",
        "Transaction/kind",
        "Transaction/CustomerAccount/mRID",
        "Transaction/line/amount",
        "Transaction/line/dateTime",
    ),
    "UsagePointGroups": ("UsagePointGroup/mRID", "UsagePointGroup/UsagePoints/mRID"),
    "GetEndDeviceControls": ("EndDevice/mRID", *_WINDOW),
    "GetEndDeviceEvents": ("Meter/mRID", *_WINDOW),
    "GetMeterReadings": ("EndDevice/mRID", "ReadingType/Names", *_WINDOW),
    "GetMeterReadSchedule": ("EndDevice/mRID", *_WINDOW),
    "GetMeterServiceRequests": ("Meter/mRID", *_WINDOW),
}


def wanted_in(root: Element) -> frozenset[str]:
    """Give the paths below a root that a minimal example has besides what the schema demands.

    For a profile without an own list, and where a site's schema has other names: the first object of the noun, with
    its id.
    """
    content = root.type.content
    if content is None:
        return frozenset()
    found = frozenset(_with_steps(path for path in _WANTED.get(root.local, ()) if _exists(content, path)))
    if found or not content.emptiable:
        return found
    element = _main(root.local, content)
    return frozenset({element.local, *_identity(element)}) if element is not None else found


def _main(noun: str, content: Group) -> Element | None:
    """Give the object that a profile is about: the one whose name is in the noun's, else the first."""
    elements = list(content.elements())
    named = [e for e in elements if e.local in noun]
    return max(named, key=lambda e: len(local(e.name)), default=elements[0] if elements else None)


def _identity(element: Element) -> list[str]:
    inside = element.type.content
    if inside is None:
        return []
    name = next((name for name in ("mRID", "Names") if inside.child(name) is not None), None)
    if name is None and inside.emptiable:
        name = next((e.local for e in inside.elements()), None)
    return [] if name is None else [f"{element.local}/{name}"]


def _exists(content: Group, path: str) -> bool:
    inside: Group | None = content
    for step in path.split("/"):
        element = None if inside is None else inside.child(step)
        if element is None:
            return False
        inside = element.type.content
    return True


def _with_steps(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        steps = path.split("/")
        yield from ("/".join(steps[:number]) for number in range(1, len(steps) + 1))
