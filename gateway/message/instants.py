"""Times as XML Schema writes them, read with care: xs:dateTime allows what Python's own reader refuses."""

from datetime import UTC, datetime, timedelta
from typing import Final

END_OF_DAY: Final = "T24:"
SIGNS: Final = ("+", "-")
"""What an offset begins with, six characters before the end."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def has_offset(text: str) -> bool:
    """Tell whether a time of the type xs:dateTime says its offset from UTC, or Z."""
    text = text.strip()
    return text.endswith("Z") or text[-6:-5] in SIGNS


def instant(text: str) -> datetime | None:
    """Give the instant of an xs:dateTime, None where it says no offset or is beyond what Python can count."""
    read = wall_clock(text)
    return None if read is None or read.tzinfo is None else read.astimezone(UTC)


def wall_clock(text: str) -> datetime | None:
    """Give an xs:dateTime as it is written, with its offset where it says one; 24:00:00 is midnight."""
    text = text.strip()
    ends_a_day = END_OF_DAY in text
    try:
        read = datetime.fromisoformat(text.replace(END_OF_DAY, "T00:", 1) if ends_a_day else text)
        return read + timedelta(days=1) if ends_a_day else read
    except (ValueError, OverflowError):
        return None


def microseconds(at: datetime) -> int:
    """Give an instant in whole microseconds since 1970, exactly: a float would round it."""
    return (at - _EPOCH) // _MICROSECOND


def from_microseconds(count: int) -> datetime:
    """Give the instant, in UTC, that is so many microseconds since 1970."""
    return _EPOCH + count * _MICROSECOND
