"""What the schema of a payload cannot state: codes, references, times, intervals and controls, in one pass."""

from collections.abc import Callable
from typing import Final

from lxml import etree

from gateway.message import Finding, Verb
from gateway.message.instants import END_OF_DAY, SIGNS
from gateway.message.places import xpath_of
from gateway.validation.registry import CONTROL_START, PERIOD_BACKWARDS, Place
from gateway.validation.rules.intervals import Intervals
from gateway.validation.rules.references import KnownCodes, References
from gateway.validation.rules.site import NOTHING
from gateway.validation.rules.tally import Note, Room, Tally
from gateway.validation.rules.times import Times, backwards, is_backwards
from gateway.validation.vocabulary import Vocabulary

_CREATING: Final = frozenset({Verb.CREATE, Verb.CREATED})
_CONTROL: Final = "EndDeviceControl"


class Semantics:
    """The semantic checks of one schema: make one for each namespace, and a pass for each payload root. One a thread.

    It remembers the codes that it has seen, so that those that come again cost nothing.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.known = KnownCodes(vocabulary)
        self.intervals = None if vocabulary.blocks is None else Intervals(vocabulary.blocks)
        block = "" if vocabulary.blocks is None else vocabulary.blocks.block
        self.wholes = tuple(tag for tag in (vocabulary.end, vocabulary.control, block) if tag)
        self.watched = tuple(dict.fromkeys((*vocabulary.times, *self.known.tags, *self.wholes)))

    def findings(self, root: etree._Element, verb: str, *, tidy: bool = False) -> list[Finding]:
        """Judge a whole payload root at once. `verb` is that of the message, or of the operation around the root.

        Of a `tidy` one it is known that nothing is to be said of its single times and references.
        """
        if tidy and (not self.wholes or next(root.iter(*self.wholes), None) is None):
            return []
        judging = SemanticPass(self, verb)
        found = judging.record_wholes(root) if tidy else judging.record(root)
        return found + judging.finish()


class SemanticPass:
    """One payload root, judged part by part: `record` each child of the root (or the root itself), then `finish`.

    No element is kept: a part may be forgotten as soon as it was recorded. What is remembered of it is bounded.
    `path` writes the XPath of an element; a stream that has forgotten earlier siblings has its own way to tell it.
    """

    def __init__(self, semantics: Semantics, verb: str, path: Callable[[etree._Element], str] = xpath_of) -> None:
        self._semantics = semantics
        self._path = path
        self._creates = verb in _CREATING
        self._room = Room()
        self._times: Times | None = None
        self._references: References | None = None
        self._startless: Tally[None] | None = None

    def record(self, part: etree._Element) -> list[Finding]:
        """Judge one part, and give what can be said of it alone."""
        semantics = self._semantics
        found: list[Finding] = []
        if not semantics.watched:
            return found
        codes_of, wholes = semantics.known.by_tag, semantics.wholes
        # One walk, made in C, and no call in the loop that a good message could do without.
        for element in part.iter(*semantics.watched):
            tag = element.tag
            codes = codes_of.get(tag)
            if codes is not None:
                if element.get("ref") not in codes:
                    self._note_reference(element)
                continue
            if tag in wholes:
                found += self._room.take(self._judge_whole(element))
                if tag != semantics.vocabulary.end:
                    continue
            text = element.text
            if text is None or (text[-1:] != "Z" and text[-6:-5] not in SIGNS) or END_OF_DAY in text:
                self._note_time(element)
        return found

    def record_wholes(self, part: etree._Element) -> list[Finding]:
        """Judge the periods, blocks and controls of a part that is tidy: see `gateway.validation.tidy`.

        The times inside blocks are not known to be tidy, unless the block is regular.
        """
        found: list[Finding] = []
        if self._semantics.wholes:
            for element in part.iter(*self._semantics.wholes):
                found += self._room.take(self._judge_whole(element, tidy=True))
        return found

    def finish(self) -> list[Finding]:
        """Give what could only be said when all of the payload was seen."""
        found: list[Finding] = []
        if self._references is not None:
            found += self._references.findings()
        if self._times is not None:
            found += self._times.findings()
        if self._startless is not None:
            found += (_startless(note) for _, note in self._startless)
        return self._room.take(found) if found else found

    def _note_time(self, element: etree._Element) -> None:
        if self._times is None:
            self._times = Times(self._path)
        self._times.note(element)

    def _note_reference(self, element: etree._Element) -> None:
        if self._references is None:
            self._references = References(self._semantics.vocabulary, self._semantics.known, self._path)
        self._references.note(element)

    def _judge_whole(self, element: etree._Element, *, tidy: bool = False) -> tuple[Finding, ...]:
        words, intervals = self._semantics.vocabulary, self._semantics.intervals
        tag = element.tag
        if tag == words.end:
            return self._judge_period(element)
        if tag == words.control:
            if self._creates and not _has_start(element, words):
                if self._startless is None:
                    self._startless = Tally(self._path)
                self._startless.add(None, element)
            return NOTHING
        if intervals is None or intervals.are_regular(element):
            return NOTHING
        if tidy:
            for time in intervals.times(element):
                self._note_time(time)
        return intervals.findings(element, self._path, self._room)

    def _judge_period(self, end: etree._Element) -> tuple[Finding, ...]:
        parent = end.getparent()
        start = None if parent is None else parent.find(self._semantics.vocabulary.start)
        if start is None or not is_backwards(start.text, end.text) or not self._room.has(PERIOD_BACKWARDS):
            return NOTHING
        return (backwards(Place.of(end, self._path), start.text, end.text),)


def _has_start(control: etree._Element, words: Vocabulary) -> bool:
    """Tell whether a control says when it starts. One that ends another control starts at once by its nature."""
    if not words.starts or next(control.iter(*words.starts), None) is not None:
        return True
    space = words.control.removesuffix(_CONTROL)
    return next(control.iter(space + "cancelNow", space + "cancelDateTime"), None) is not None


def _startless(note: Note) -> Finding:
    text = f"The EndDeviceControl does not say when it starts.{note.more}"
    advice = (
        "Write primaryDeviceTiming with interval/start (for an in-home device startDateTime): "
        "some head ends refuse a control without it, others act at once."
    )
    return CONTROL_START.finding(note.place, text, advice)
