"""The values in an example: they read well, fit each other across a message, and pass cimgate's own rules.

The tables are our own invention, of one small utility: North Electric, a meter NTH-40021187, the 17th of March 2026.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from gateway.validation.declarations import Value
from gateway.validation.instances.generating import NotWritable, Place
from gateway.validation.instances.wording import phrase, singular

CODES: Final[dict[str, tuple[str, ...]]] = {
    "ReadingType": ("0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
    "ReadingQualityType": ("2.0.0",),
    "EndDeviceEventType": ("3.26.0.85",),
    "EndDeviceControlType": ("3.31.0.23",),
}
"""The codes that stand for objects of a type: delivered energy in kWh, the same each quarter of an hour; a valid value;
a power failure; disconnect."""

# Where each number of a code stands once more, as an element of its own; the reading type's last two pairs are groups.
_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "ReadingType": (
        *("macroPeriod", "aggregate", "measuringPeriod", "accumulation", "flowDirection", "commodity"),
        *("measurementKind", "", "", "", "", "tou", "cpp", "consumptionTier", "phases", "multiplier", "unit"),
        "currency",
    ),
    "ReadingQualityType": ("systemId", "category", "subCategory"),
    "EndDeviceEventType": ("type", "domain", "subDomain", "eventOrAction"),
    "EndDeviceControlType": ("type", "domain", "subDomain", "eventOrAction"),
}

# Of these an instance is the same object, under another name.
_SAME: Final = {"Asset": "Meter", "EndDevice": "Meter"}

_NAMES: Final = {
    "Meter": "NTH-40021187",
    "OldMeter": "NTH-40017302",
    "EndDevice": "NTH-40021187",
    "Asset": "NTH-40021187",
    "ComModule": "NTH-RF-0093117",
    "Customer": "Example Customer",
    "Organisation": "North Electric",
    "ServiceSupplier": "North Electric",
    "Manufacturer": "Example Meters",
    "UsagePoint": "UP-0041872",
    "UsagePointLocation": "UPL-0041872",
    "ServiceLocation": "SL-0041872",
    "CustomerAccount": "CA-0041872",
    "CustomerAgreement": "AG-0041872",
    "TransformerTank": "TX-0312",
    "EndDeviceGroup": "Feeder 12",
    "UsagePointGroup": "Feeder 12",
    "ServiceCategory": "Electricity",
    "PricingStructure": "Residential 1",
    "Tariff": "Residential 1, 2026",
}
_TYPES_OF_NAMES: Final = {
    "OldMeter": "MeterNumber",
    "Meter": "MeterNumber",
    "EndDevice": "MeterNumber",
    "Asset": "MeterNumber",
    "UsagePoint": "UsagePointNumber",
    "CustomerAccount": "AccountNumber",
    "CustomerAgreement": "AgreementNumber",
}

# Keys are the element, or its parent's name and the element where another parent would need another value.
_TEXTS: Final[dict[str, str]] = {
    "amrSystem": "HES-NORTH",
    "source": "HES-NORTH",
    "issuerID": "CIS",
    "issuerTrackingID": "DC-2026-03117",
    "userID": "clerk-17",
    "modifiedBy": "clerk-17",
    "authorName": "clerk-17",
    "serialNumber": "40021187",
    "utcNumber": "0100234471",
    "formNumber": "2S",
    "lotNumber": "L-2026-04",
    "modelNumber": "E-200",
    "modelVersion": "1.4",
    "firmwareID": "4.2.1",
    "hardwareID": "B",
    "programID": "RES-1",
    "configID": "7",
    "revisionNumber": "1",
    "installCode": "83FED3407A939723",
    "sealNumber": "S-118203",
    "sequenceNumber": "1",
    "password": "example-only",
    "email1": "service@example.com",
    "email2": "office@example.com",
    "web": "https://www.example.com",
    "lan": "192.0.2.17",
    "mac": "00:00:5E:00:53:17",
    "radio": "7-042",
    "amrAddress": "00:00:5E:00:53:17",
    "amrRouter": "COLLECTOR-7",
    "areaCode": "555",
    "cityCode": "555",
    "countryCode": "1",
    "dialOut": "9",
    "extension": "17",
    "internationalPrefix": "00",
    "ituPhone": "+15550100",
    "localNumber": "0100",
    "number": "12",
    "name": "Example",
    "streetDetail/name": "Mill",
    "StreetDetail/type": "Street",
    "townDetail/name": "Northam",
    "section": "East",
    "code": "RES-1",
    "stateOrProvince": "North",
    "country": "XX",
    "postalCode": "00017",
    "poBox": "17",
    "locale": "en",
    "crsUrn": "urn:ogc:def:crs:EPSG::4326",
    "xPosition": "10.7522",
    "yPosition": "59.9139",
    "zPosition": "12",
    "severity": "critical",
    "comment": "An example.",
    "description": "An example.",
    "reason": "An example.",
    "justification": "An example.",
    "note": "An example.",
    "remark": "An example.",
    "EndDeviceEventDetails/name": "duration",
    "EndDeviceEventDetails/value": "PT12M",
    "status/value": "active",
    "status/reason": "as planned",
    "Readings/value": "5634.7",
    "IntervalReadings/value": "0.392",
    "MeterMultipliers/value": "20",
    "ServiceMultipliers/value": "20",
    "recurrencePeriod": "86400",
    "recurrencePattern": "daily",
    "relativeTimeInterval": "3600",
    "timeZoneOffset": "60",
    "armedTimeout": "60",
    "MeterServiceWork/type": "inspection",
    "MeterServiceWork/reason": "no readings since the outage",
    "numerator": "0",
    "denominator": "0",
    "command": "start",
    "MeterServiceWork/kind": "inspection",
    "priority": "3",
    "priority/rank": "3",
    "priceSignal": "0.21",
    "priceTierCount": "3",
    "providerID": "1",
    "textMessage": "Please save energy between 17:00 and 19:00.",
    "duration": "120",
    "durationIndefinite": "false",
    "cancelNow": "false",
    "isVirtual": "false",
    "isPan": "false",
    "isSubstation": "false",
    "disabled": "false",
    "nominalServiceVoltage": "230",
    "ratedVoltage": "230",
    "ratedCurrent": "60",
    "ratedPower": "13800",
    "customerVoltageLimit": "253",
    "phaseCount": "1",
    "leftDigitCount": "6",
    "rightDigitCount": "1",
    "purchasePrice": "84.50",
    "amount": "25.00",
    "rounding": "0.00",
    "change": "0.00",
    "minAmount": "5.00",
    "fixedAmount": "5.00",
    "pan": "0000000000000000",
    "cvNumber": "000",
    "accountNumber": "0000000000",
    "outageRegion": "North",
    "readCycle": "17",
    "readRoute": "N-12",
    "billingCycle": "17",
}

# In order, and with an offset: what began before what ended, what was reported after it was measured.
_TIMES: Final[dict[str, str]] = {
    "start": "2026-03-17T00:00:00+01:00",
    "end": "2026-03-18T00:00:00+01:00",
    "timePeriod/start": "2026-03-17T10:30:00+01:00",
    "timePeriod/end": "2026-03-17T10:45:00+01:00",
    "interval/start": "2026-03-18T17:00:00+01:00",
    "interval/end": "2026-03-18T19:00:00+01:00",
    "scheduleInterval/start": "2026-04-01T00:00:00+02:00",
    "scheduleInterval/end": "2026-07-01T00:00:00+02:00",
    "window/start": "2026-04-01T00:00:00+02:00",
    "window/end": "2026-04-01T01:00:00+02:00",
    "TimePoints/dateTime": "2026-04-01T00:00:00+02:00",
    "validityInterval/start": "2026-01-01T00:00:00+01:00",
    "validityInterval/end": "2027-01-01T00:00:00+01:00",
    "timeStamp": "2026-03-17T10:45:00+01:00",
    "reportedDateTime": "2026-03-17T10:46:30+01:00",
    "startDateTime": "2026-03-18T17:00:00+01:00",
    "cancelDateTime": "2026-03-18T16:00:00+01:00",
    "effectiveDateTime": "2026-04-01T00:00:00+02:00",
    "signDate": "2025-12-15T00:00:00+01:00",
    "startDate": "2026-01-01T00:00:00+01:00",
    "endDate": "2027-01-01T00:00:00+01:00",
    "expiryDate": "2028-12-31T00:00:00+01:00",
    "lastModifiedDateTime": "2026-03-17T10:44:00+01:00",
}
_GRID: Final = ("2026-03-17T10:15:00+01:00", "2026-03-17T10:30:00+01:00", "2026-03-17T10:45:00+01:00")
"""The quarters of an hour that two interval readings fill."""

_DAYS: Final = {
    "manufacturedDate": "2025-05-12",
    "purchaseDate": "2025-06-02",
    "receivedDate": "2025-07-01",
    "installationDate": "2025-09-23",
    "removalDate": "2040-09-23",
    "retiredDate": "2040-10-01",
}
_BUILTINS: Final[dict[str, tuple[str, ...]]] = {
    "xs:dateTime": ("2026-03-17T10:43:00+01:00",),
    "xs:date": ("2026-03-17",),
    "xs:time": ("06:00:00",),
    "xs:duration": ("PT15M",),
    "xs:boolean": ("true",),
    "xs:gYear": ("2026",),
    "xs:gYearMonth": ("2026-03",),
    "xs:base64Binary": ("RXhhbXBsZQ==",),
    "xs:hexBinary": ("4578",),
    "xs:anyURI": ("https://www.example.com",),
    "xs:language": ("en",),
}
_NUMBERS: Final = ("1", "1.5", "0", "-1", "10")


def text_for(place: Place, value: Value, attribute: str = "") -> str:
    """Give a value for an element, or for its attribute; the first listed one where values are listed.

    Raises `NotWritable` where a pattern or another facet takes none that this module knows.
    """
    if value.enumeration:
        preferred = _TEXTS.get(_keys(place)[0], "")
        return preferred if preferred in value.enumeration else value.enumeration[0]
    for candidate in _candidates(place, value, attribute):
        if value.accepts(candidate):
            return candidate
    what = f"the attribute {attribute} of {place}" if attribute else str(place)
    facets = ", ".join(f"{name} {text}" for name, text in value.limits)
    raise NotWritable(f"There is no example value for {what}, of the type {value.name or value.builtin} ({facets}).")


def _candidates(place: Place, value: Value, attribute: str) -> Iterator[str]:
    if attribute:
        yield _reference(place) if attribute == "ref" else phrase(attribute)
    else:
        yield from _by_name(place)
    yield from _BUILTINS.get(value.builtin, ())
    if value.builtin != "xs:string":
        yield from _NUMBERS
        yield from (text for name, text in value.limits if name.endswith("clusive"))
    plain = phrase(place.name)
    limits = dict(value.limits)
    yield plain
    if (size := limits.get("length") or limits.get("maxLength") or limits.get("minLength", "")).isdigit():
        yield f"{plain:x<{size}}"[: int(size)]
        yield "1" * int(size)
    yield "1"


def _by_name(place: Place) -> Iterator[str]:
    if place.name == "mRID":
        yield identity(_object(place, -2), place.numbers[-2])
        return
    owner = place.owners[-2] if len(place.path) > 1 else ""
    if place.name in _PARTS.get(owner, ()):
        yield identity(owner, place.numbers[-2]).split(".")[_PARTS[owner].index(place.name)]
    yield from _name_of(place)
    yield from _of_interval(place)
    if place.path[0].startswith("Get"):  # asks for what was, where the same elements elsewhere plan what will be
        yield from (_TIMES[name] for name in ("start", "end") if place.name == name)
    for table in (_TEXTS, _TIMES, _DAYS):
        yield from (table[key] for key in _keys(place) if key in table)


def _of_interval(place: Place) -> Iterator[str]:
    """Give the times of one reading among those of an interval block."""
    if "IntervalReadings" not in place.path:
        return
    at = place.path.index("IntervalReadings")
    number = place.numbers[at] % (len(_GRID) - 1)
    wanted = {("timeStamp",): 1, ("timePeriod", "start"): 0, ("timePeriod", "end"): 1}
    if (offset := wanted.get(place.path[at + 1 :])) is not None:
        yield _GRID[number + offset]


def _keys(place: Place) -> tuple[str, ...]:
    if len(place.path) == 1:
        return (place.name,)
    return tuple(dict.fromkeys((f"{place.path[-2]}/{place.name}", f"{place.owners[-2]}/{place.name}", place.name)))


def _name_of(place: Place) -> Iterator[str]:
    """Give the name in Names, NameType and NameTypeAuthority of an object."""
    chain = ("Names", "NameType", "NameTypeAuthority")
    depth = next((n for n in (1, 2, 3) if place.path[-n - 1 : -1] == chain[:n]), 0)
    if place.name != "name" or depth == 0:
        return
    owner, number = _object(place, -depth - 2), place.numbers[-depth - 2]
    if depth == len(chain):
        yield "North Electric"
    elif depth == len(chain) - 1:
        yield _TYPES_OF_NAMES.get(owner, "Code" if owner in CODES else "Name")
    else:
        yield identity(owner, number) if owner in CODES else _NAMES.get(owner, f"Example {phrase(owner)}")


def _object(place: Place, at: int) -> str:
    """Give the class of the object at a step of the path: its type's name, unless the element says who else it is."""
    return place.path[at] if place.path[at] in _NAMES else place.owners[at]


def _reference(place: Place) -> str:
    """Give what a ref points to: the code where objects of the type have one, else the object in the same message."""
    owner = singular(place.name)
    return identity(owner, 1 if place.path[-2:] == ("IntervalBlocks", "ReadingType") else 0)


def identity(owner: str, number: int) -> str:
    """Give the mRID of an object: its code where it has one, else a UUID that is the same each time."""
    if owner in CODES:
        return CODES[owner][number % len(CODES[owner])]
    seed = hashlib.sha256(f"{_SAME.get(owner, owner)} {number}".encode()).hexdigest()
    return f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}"
