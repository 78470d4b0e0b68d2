"""Explains whatever a user may have at hand: a code, a pattern, a name, a short name, a partner's private code."""

import re
from collections.abc import Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from gateway.codes import explained
from gateway.codes.dotted import BadCode, check_syntax
from gateway.codes.explanations import Explanation
from gateway.codes.index import Item, items
from gateway.codes.patterns import BadPattern, CodeKind, parse_pattern
from gateway.codes.reading_types import ReadingType

_ANY: Final = "*"
_NUMBER: Final = re.compile(r"\*|-?\d+")
_PRIVATE: Final = re.compile(r"[A-Za-z]{2,}[_-]?\d{2,}")
_REPLY: Final = re.compile(r"(?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3})", re.ASCII)
_ALIKE: Final = 0.75
"""How much a name must look like another to be suggested, of 1."""
_OWNERS: Final = {"reading": "a reading type", "quality": "a quality code", "event": "an event or control type"}
"""Whose parts they are whose numbers have names."""
_BY_PARTS: Final = {kind.parts: kind for kind in (CodeKind.READING, CodeKind.EVENT, CodeKind.QUALITY)}


def explain(text: str) -> tuple[Explanation, ...]:
    """Explain a code by what its form says that it may be; the likelier reading first, never none.

    18 numbers are a reading type, four an event or a control, three a quality code, two a reply code or a quality code
    without its system; all but two may have `*` for any number. Else it is a name (`Power.Failed`), a short name
    (`kWh delivered`) or a private code (`SIM8011`). Raises `BadCode` for what is none of these.
    """
    asked = text.strip()
    if not asked:
        raise BadCode("it is empty")
    if "." in asked and any(map(_NUMBER.fullmatch, asked.split("."))):
        return _of_numbers(asked)
    found = (*_of_alias(asked), *_of_name(asked))
    if found:
        return found
    if _PRIVATE.fullmatch(asked):
        return (_private(asked),)
    raise BadCode(_unheard_of(asked))


def _of_numbers(text: str) -> tuple[Explanation, ...]:
    parts = tuple(text.split("."))
    if len(parts) == 2:  # noqa: PLR2004 - category and index
        return _of_two(text, parts)
    kind = _BY_PARTS.get(len(parts))
    if kind is None:
        raise BadCode(f"it has {len(parts)} parts; a reading type has 18, an event or control 4, a quality code 3")
    if _ANY in parts:
        try:
            parse_pattern(kind, text)
        except BadPattern as error:
            raise BadCode(str(error)) from error
    else:
        check_syntax(kind, text)
    if kind is CodeKind.READING:
        return (explained.reading(parts),)
    if kind is CodeKind.QUALITY:
        return (explained.quality(parts),)
    return _known_first(
        (explained.device_code(CodeKind.EVENT, parts), "It is not known as an event type (EndDeviceEventType)."),
        (explained.device_code(CodeKind.CONTROL, parts), "It is not known as a control type (EndDeviceControlType)."),
    )


def _of_two(text: str, parts: tuple[str, ...]) -> tuple[Explanation, ...]:
    if not _REPLY.fullmatch(text):
        raise BadCode("it has 2 parts, as a reply code has, and they are not two numbers without leading zeros")
    quality = explained.quality((_ANY, *parts))
    whole = "As a quality code it lacks its first number, the system that says it."
    return _known_first(
        (explained.reply(text), "It is not known as a reply code."),
        (replace(quality, notes=(whole, *quality.notes)), "It is not known as a quality code without its system."),
    )


def _known_first(*readings: tuple[Explanation, str]) -> tuple[Explanation, ...]:
    """Leave out what nothing speaks for where something speaks for the other, and say so."""
    known = tuple(explanation for explanation, _ in readings if explanation.known)
    unlikely = tuple(note for explanation, note in readings if not explanation.known)
    if not known or not unlikely:
        return tuple(explanation for explanation, _ in readings)
    return tuple(replace(explanation, notes=(*explanation.notes, *unlikely)) for explanation in known)


def _of_alias(text: str) -> Iterator[Explanation]:
    code = ReadingType.from_alias(text)
    if code is not None:
        yield explained.reading(tuple(map(str, code.numbers)))


def _of_name(text: str) -> Iterator[Explanation]:
    folded = text.casefold()
    for item in items():
        if folded != item.name.casefold() or (item.whole and item.registry == "reading"):
            continue
        parts = tuple(item.code.split("."))
        if not item.whole:
            yield _named(item)
        elif item.registry == "quality":
            yield explained.quality(parts)
        elif item.registry == "reply":
            yield explained.reply(item.code)
        else:
            yield explained.device_code(CodeKind.EVENT if item.registry == "event" else CodeKind.CONTROL, parts)


def _named(item: Item) -> Explanation:
    what = item.shown if item.registry == "word" else f"{item.shown} of {_OWNERS[item.registry]}"
    sentence = f"{item.name}, {what}: {item.meaning}."
    notes = (f"{item.remark[:1].upper()}{item.remark[1:]}.",) if item.remark else ()
    return Explanation(item.registry, item.code, item.name, sentence, True, item.confidence, notes=notes)


def _private(text: str) -> Explanation:
    sentence = f"{text} has the form of a private reply code: a system's own, not of the standard."
    advice = "Look for its meaning in the documentation of the system that sent it."
    return Explanation("reply", text, "(private code)", sentence, known=False, notes=(advice,))


def _unheard_of(text: str) -> str:
    names = {item.name.casefold(): item.name for item in items()}
    close = get_close_matches(text.casefold(), names, n=1, cutoff=_ALIKE)
    guess = f"; did you mean {names[close[0]]}?" if close else ""
    return f"it has not the form of a code, and nothing that is known has this name{guess}"
