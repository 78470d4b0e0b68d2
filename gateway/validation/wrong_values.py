"""What is wrong with a value, what its sender probably meant, and how such a value is written."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from gateway.validation.type_words import HOW_TO_WRITE, WORDS, limits_in_words
from gateway.validation.wording import article, listed, nearest

_FEW: Final = 4
"""So many values go into a sentence; more are shown in the list of what is allowed alone."""

_MEASURED: Final = re.compile(r"([+-]?\d+)(?:[.,](\d+))?\s*[^\d\s.,]*")
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})[Tt ]+(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?\s*([Zz]|[+-]\d{2}:?\d{2})?"
)
_GERMAN: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(.*)")
_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})")
_TRUTHS: Final = {
    **dict.fromkeys(("true", "yes", "y", "on", "t"), "true"),
    **dict.fromkeys(("false", "no", "n", "off", "f"), "false"),
}
_PLACES: Final = {
    "xs:float": "a number with a point, without a unit",
    "xs:double": "a number with a point, without a unit",
    "xs:decimal": "a number with a point, without a unit",
    "xs:integer": "digits alone, without a unit",
    "xs:dateTime": "date, T, time and offset",
    "xs:date": "year, month and day",
    "xs:time": "hours, minutes and seconds",
}


def wrong_type(what: str, found: str, builtin: str, accepts: Callable[[str], bool]) -> tuple[str, str]:
    """Give text and advice for a value that is not of its type. `what` names the element or the attribute."""
    kind = WORDS.get(builtin, f"value of the type {builtin}")
    general = HOW_TO_WRITE.get(builtin, f"Write {article(kind)}.")
    if not found.strip():
        return (
            f"{what} is empty, but must hold {_a(kind)}.",
            f"{general} Or leave {what} out, if it may be.",
        )
    meant = _meant(found.strip(), builtin)
    advice = general
    if meant is not None and accepts(meant):
        how = _PLACES.get(builtin)
        advice = f"Write {meant}{f': {how}' if how else ''}."
        if builtin == "xs:dateTime" and not re.search(r"(?:Z|[+-]\d{2}:\d{2})$", meant):
            advice = f"Write {meant}, and after it the offset, Z or such as +01:00."
    no = "neither true nor false" if builtin == "xs:boolean" else f"not {_a(kind)}"
    return f"{what} is '{found}', which is {no}.", advice


def out_of_limits(what: str, found: str, limits: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Give text and advice for a value that breaks a facet of its type."""
    words = limits_in_words(limits)
    return f"{what} is '{found}', which its type does not allow.", f"Write a value that is {words}."


def not_listed(what: str, found: str, allowed: Sequence[str]) -> tuple[str, str]:
    """Give text and advice for a value outside an enumeration."""
    if found.strip() in allowed:
        return f"{what} is '{found}', with blanks around it.", f"Write {found.strip()} without blanks or line breaks."
    close = nearest(found, allowed)
    if close is not None:
        advice = f"Write {close}."
    elif len(allowed) <= _FEW:
        advice = f"Write {listed(allowed, 'or')}."
    else:
        advice = "Write one of the values allowed, spelt as they are there."
    if not found.strip():
        return f"{what} is empty, but must hold one of {len(allowed)} values.", advice
    return f"{what} is '{found}', which is not in the list.", advice


def _a(kind: str) -> str:
    plain = kind.startswith(("date and", "text", "true", "base64", "hex"))
    return kind if plain and kind != "date and time" else article(kind)


def _meant(found: str, builtin: str) -> str | None:
    """Guess what was meant by a value in another form; None where nothing is plain."""
    if builtin == "xs:boolean":
        return _TRUTHS.get(found.lower())
    if builtin in ("xs:float", "xs:double", "xs:decimal"):
        number = _MEASURED.fullmatch(found)
        return None if number is None else number[1] + (f".{number[2]}" if number[2] else "")
    if builtin == "xs:integer":
        number = _MEASURED.fullmatch(found)
        return number[1] if number is not None and not (number[2] or "").strip("0") else None
    swapped = _GERMAN.sub(r"\3-\2-\1\4", found)
    if builtin == "xs:dateTime":
        return _moment(swapped)
    if builtin == "xs:date":
        day = _DAY.match(swapped)
        return None if day is None else f"{day[1]}-{day[2]:0>2}-{day[3]:0>2}"
    if builtin == "xs:time":
        clock = _CLOCK.fullmatch(found)
        return None if clock is None else f"{clock[1]:0>2}:{clock[2]}:00"
    return None


def _moment(text: str) -> str | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    zone = (match[7] or "").upper()
    if zone not in ("", "Z") and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    return f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}T{match[4]:0>2}:{match[5]}:{match[6] or '00'}{zone}"
