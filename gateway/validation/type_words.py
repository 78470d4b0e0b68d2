"""The built-in types of XML Schema in words: what they are, and how a value is written."""

from collections.abc import Iterable
from typing import Final

WORDS: Final = {
    "xs:string": "text",
    "xs:normalizedString": "text in one line",
    "xs:token": "text in one line",
    "xs:NMTOKEN": "a word",
    "xs:dateTime": "date and time",
    "xs:date": "date",
    "xs:time": "time of day",
    "xs:duration": "duration",
    "xs:boolean": "true or false",
    "xs:float": "number",
    "xs:double": "number",
    "xs:decimal": "decimal number",
    "xs:integer": "whole number",
    "xs:int": "whole number",
    "xs:long": "whole number",
    "xs:short": "whole number",
    "xs:nonNegativeInteger": "whole number, 0 or more",
    "xs:unsignedInt": "whole number, 0 or more",
    "xs:positiveInteger": "whole number, 1 or more",
    "xs:anyURI": "URI",
    "xs:QName": "qualified name",
    "xs:language": "language, such as en",
    "xs:base64Binary": "base64",
    "xs:hexBinary": "hexadecimal",
    "xs:gYear": "year",
}

_NUMBER: Final = "Write a number with a point, such as 12.5, without a unit."
_WHOLE: Final = "Write a whole number in digits, such as 12, without a unit."
HOW_TO_WRITE: Final = {
    "xs:dateTime": "Write date, T, time and offset, such as 2024-03-01T14:30:00Z or 2024-03-01T15:30:00+01:00.",
    "xs:date": "Write year, month and day, such as 2024-03-01.",
    "xs:time": "Write hours, minutes and seconds, such as 14:30:00.",
    "xs:duration": "Write a duration as ISO 8601 has it, such as PT15M for a quarter of an hour or P1D for a day.",
    "xs:boolean": "Write true or false.",
    "xs:integer": _WHOLE,
    "xs:int": _WHOLE,
    "xs:long": _WHOLE,
    "xs:short": _WHOLE,
    "xs:nonNegativeInteger": "Write a whole number, 0 or more.",
    "xs:unsignedInt": "Write a whole number, 0 or more.",
    "xs:positiveInteger": "Write a whole number, 1 or more.",
    "xs:float": _NUMBER,
    "xs:double": _NUMBER,
    "xs:decimal": _NUMBER,
    "xs:QName": "Write one qualified name; a path with slashes goes into details.",
}

_LIMITS: Final = {
    "length": "exactly {} characters",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minInclusive": "at least {}",
    "maxInclusive": "at most {}",
    "minExclusive": "more than {}",
    "maxExclusive": "less than {}",
    "totalDigits": "at most {} digits",
    "fractionDigits": "at most {} digits after the point",
    "pattern": "in the form {}",
}


def limits_in_words(limits: Iterable[tuple[str, str]]) -> str:
    """Give facets as words, joined by commas: `at most 20 characters`; empty where there are none."""
    return ", ".join(_LIMITS[name].format(text) for name, text in limits if name in _LIMITS)
