"""Times: whether they say which instant they are, and whether periods run forward."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from lxml import etree

from gateway.message import EnvelopeVersion, Finding, Message
from gateway.message.instants import END_OF_DAY, SIGNS, has_offset, instant
from gateway.message.places import tag_of
from gateway.validation.registry import PERIOD_BACKWARDS, TIMESTAMP_24, TIMESTAMP_OFFSET, Place, Rule
from gateway.validation.rules.site import NOTHING, Site, header_place
from gateway.validation.rules.tally import Note, Tally

_REQUEST_TIMES: Final[dict[object, str]] = {
    f"{version.prefix}{name}": name for version in EnvelopeVersion for name in ("StartTime", "EndTime")
}
_REST: Final = slice(19, None)
"""Fraction of the second and offset, of a time in a year of four digits."""
_DATE_TIME: Final = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:", re.ASCII)


def is_tidy(text: str | None) -> bool:
    """Tell, at little cost, that nothing is to be said about a time."""
    return text is not None and END_OF_DAY not in text and (text[-1:] == "Z" or text[-6:-5] in SIGNS)


class Times:
    """Collects the times of one payload that are not tidy: one finding for each name of an element and each fault."""

    def __init__(self, path: Callable[[etree._Element], str]) -> None:
        self._faults: Tally[tuple[Rule, str]] = Tally(path)
        self._texts: dict[tuple[Rule, str], str] = {}

    def note(self, element: etree._Element) -> None:
        """Note a time that may not be tidy."""
        for rule in _faults(element.text):
            key = (rule, tag_of(element))
            self._texts.setdefault(key, (element.text or "").strip())
            self._faults.add(key, element)

    def findings(self) -> Iterator[Finding]:
        """Give what was found."""
        return (_finding(key[0], note, self._texts[key]) for key, note in self._faults)


def header_time_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Judge the times of the header."""
    header = message.header
    findings = NOTHING
    if header.timestamp is not None and not is_tidy(header.timestamp):
        findings = _of(header_place(message, "Timestamp"))
    if header.replay_detection is not None and not is_tidy(header.replay_detection.created):
        element = header_place(message, "ReplayDetection")
        created = element.find(f"{message.version.prefix}Created")
        findings += _of(element if created is None else created)
    return findings


def request_time_findings(message: Message, _site: Site) -> tuple[Finding, ...]:
    """Judge StartTime and EndTime of a request."""
    if message.request is None:
        return NOTHING
    start = end = None
    findings = NOTHING
    for child in message.request:
        name = _REQUEST_TIMES.get(child.tag)
        if name is None:
            continue
        if not is_tidy(child.text):
            findings += _of(child)
        if name == "StartTime":
            start = child
        else:
            end = child
    if start is not None and end is not None and is_backwards(start.text, end.text):
        findings += (backwards(Place.of(end), start.text, end.text),)
    return findings


def is_backwards(start: str | None, end: str | None) -> bool:
    """Tell whether a period ends before it starts; times that say no offset are not compared."""
    if start is None or end is None or (start[_REST] == end[_REST] and start <= end):  # the same offset: like text
        return False
    first, last = instant(start), instant(end)
    return first is not None and last is not None and last < first


def backwards(place: Place, start: str | None, end: str | None) -> Finding:
    """Tell that a period ends before it starts."""
    start, end = (start or "").strip(), (end or "").strip()
    text = f"The period ends before it starts: {place.element} is {end}, the start {start}."
    advice = "Exchange the two times. In the schemas the end stands before the start, so they are easily mixed up."
    if place.element == "EndTime":
        advice = "Exchange the two times: StartTime is the earlier one."
    return PERIOD_BACKWARDS.finding(place, text, advice, found=end)


def _of(element: etree._Element) -> tuple[Finding, ...]:
    text = (element.text or "").strip()
    return tuple(_finding(rule, Note(Place.of(element)), text) for rule in _faults(text))


def _faults(text: str | None) -> Iterator[Rule]:
    text = (text or "").strip()
    if not _DATE_TIME.match(text):  # a date, or what the schema refuses anyway
        return
    if END_OF_DAY in text:
        yield TIMESTAMP_24
    if not has_offset(text):
        yield TIMESTAMP_OFFSET


def _finding(rule: Rule, note: Note, text: str) -> Finding:
    name = note.place.element
    if rule is TIMESTAMP_24:
        said = f"{name} is {text}; XML allows the hour 24, but many systems cannot read it.{note.more}"
        return rule.finding(note.place, said, f"Write {_next_midnight(text)}, the same instant.", found=text)
    said = f"{name} is {text}, without Z or an offset: which instant that is, each system will guess.{note.more}"
    advice = f"Write {text}Z if it is UTC, else with the offset that was in force, such as {text}+01:00."
    return rule.finding(note.place, said, advice, found=text)


def _next_midnight(text: str) -> str:
    day, _, rest = text.partition(END_OF_DAY)
    try:
        return f"{date.fromisoformat(day) + timedelta(days=1)}T00:{rest}"
    except (ValueError, OverflowError):
        return f"00:{rest} of the next day"
