"""What a subscription wants to hear of: values of a few fields, as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Final

from gateway.codes import BadPattern, CodeKind, parse_pattern
from gateway.codes.tables import table
from gateway.message.verbs import EVENT_VERBS

_MOST_VALUES: Final = 200
_LONGEST: Final = 255


class BadFilter(ValueError):  # noqa: N818 - says what the filter is
    """A value cannot be filtered by; the text says which, why, and what to write."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are taken: the values of one field are alternatives, the fields hold together, empty ones take all.

    `events` are patterns over event types: `3.26.0.85`, `*.26.0.85`, `3.26.*.*`. `*.26.*.*`, a whole domain, takes the
    types of controls in it too, as the header `cim-domain:26` does. `devices` are mRIDs or names of devices or usage
    points. `severities` are compared without regard to upper and lower case: the standard leaves the words to the site.
    An event with several types, devices or severities is taken where one of each is wanted, be it of one of its parts
    and the other of another.
    """

    nouns: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The fields that say something, by name."""
        given = ((field.name, tuple(getattr(self, field.name))) for field in fields(self))
        return {name: texts for name, texts in given if texts}


FIELDS: Final = tuple(field.name for field in fields(Filter))


def filter_of(given: Mapping[str, Iterable[str]]) -> Filter:
    """Make a filter of what a person or a document gives: names of events become patterns. Raises `BadFilter`."""
    unknown = sorted(set(given) - set(FIELDS))
    if unknown:
        raise BadFilter(f"A filter has no field '{unknown[0]}'. It has {', '.join(FIELDS)}.")
    read = {"verbs": _verb, "events": event_pattern}
    values: dict[str, tuple[str, ...]] = {}
    for name in FIELDS:
        texts = [_text(name, text) for text in given.get(name, ())]
        if len(texts) > _MOST_VALUES:
            raise BadFilter(f"The filter has {len(texts)} {name}. At most {_MOST_VALUES} are possible.")
        values[name] = tuple(dict.fromkeys(read.get(name, str)(text) for text in texts))
    return Filter(**values)


def event_pattern(text: str) -> str:
    """Give the pattern for a pattern or the listed name of an event (`Power.Failed`). Raises `BadFilter`."""
    named = _events_by_name().get(text.casefold())
    if named is not None:
        return named
    try:
        pattern = parse_pattern(CodeKind.EVENT, text)
    except BadPattern as error:
        raise BadFilter(
            f"The event '{text}' is neither a pattern nor a name: {error}. Write such as 3.26.0.85, *.26.0.85, "
            "*.26.*.* or Power.Failed; `cimgate codes search` finds codes by words."
        ) from error
    if not all(part == "*" or (part.isdecimal() and part == str(int(part))) for part in pattern.parts):
        raise BadFilter(f"The event '{text}' has a part that no code can have. Write numbers without sign or zeros.")
    return str(pattern)


def described(wanted: Filter) -> str:
    """Say in a line what a filter takes."""
    return "; ".join(f"{name} {', '.join(texts)}" for name, texts in wanted.values.items()) or "every event"


def _text(name: str, text: object) -> str:
    if not isinstance(text, str):
        raise BadFilter(f"A value of {name} in the filter is {text!r}, which is no text.")
    cleaned = text.strip()
    if not cleaned:
        raise BadFilter(f"A value of {name} in the filter is empty. Leave the field out to take all.")
    if len(cleaned) > _LONGEST or not cleaned.isprintable():
        raise BadFilter(f"A value of {name} in the filter is longer than {_LONGEST} characters, or cannot be printed.")
    return cleaned


def _verb(text: str) -> str:
    if text not in EVENT_VERBS:
        verbs = ", ".join(sorted(EVENT_VERBS))
        raise BadFilter(f"No event has the verb '{text}'. Write one of {verbs}.")
    return text


@cache
def _events_by_name() -> Mapping[str, str]:
    rows = table("events").items()
    return {entry.name.casefold(): pattern for pattern, row in rows for entry in (row, *row.others)}
