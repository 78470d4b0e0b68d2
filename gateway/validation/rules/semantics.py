"""What the schema of a payload cannot state: codes, references, times, intervals and controls, in one pass."""

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from gateway.message import Finding, Verb
from gateway.message.places import tag_of, xpath_of
from gateway.validation.registry import CONTROL_START, PERIOD_BACKWARDS, Place
from gateway.validation.rules.intervals import Intervals
from gateway.validation.rules.references import KnownCodes, References
from gateway.validation.rules.tally import Note, Room, Tally
from gateway.validation.rules.times import Times, backwards, is_backwards, is_tidy
from gateway.validation.vocabulary import Blocks, Vocabulary

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

    def findings(self, root: etree._Element, verb: str) -> list[Finding]:
        """Judge a whole payload root at once. `verb` is that of the message, or of the operation around the root."""
        judging = SemanticPass(self, verb)
        return judging.record(root) + judging.finish()


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
        words = self._semantics.vocabulary
        found: list[Finding] = []
        if words.times:
            self._read_times(part, words.times)
        if words.references:
            self._read_references(part)
        if words.end:
            found += self._periods(part, words)
        if words.blocks is not None:
            found += self._blocks(part, words.blocks)
        if words.control and self._creates:
            self._read_controls(part, words)
        return self._room.take(found) if found else found

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

    # Every message comes through these loops: what makes an object stands in the branch that good messages do not take.

    def _read_times(self, part: etree._Element, tags: tuple[str, ...]) -> None:
        for element in part.iter(*tags):
            if not is_tidy(element.text):
                if self._times is None:
                    self._times = Times(self._path)
                self._times.note(element)

    def _read_references(self, part: etree._Element) -> None:
        codes = self._semantics.known.by_tag
        for element in part.iter(*self._semantics.known.tags):
            if element.get("ref") not in codes[tag_of(element)]:
                if self._references is None:
                    self._references = References(self._semantics.vocabulary, self._semantics.known, self._path)
                self._references.note(element)

    def _read_controls(self, part: etree._Element, words: Vocabulary) -> None:
        for control in part.iter(words.control):
            if not _has_start(control, words):
                if self._startless is None:
                    self._startless = Tally(self._path)
                self._startless.add(None, control)

    def _periods(self, part: etree._Element, words: Vocabulary) -> Iterator[Finding]:
        for end in part.iter(words.end):
            start = None if (period := end.getparent()) is None else period.find(words.start)
            if start is not None and is_backwards(start.text, end.text) and self._room.has(PERIOD_BACKWARDS):
                yield backwards(Place.of(end, self._path), start.text, end.text)

    def _blocks(self, part: etree._Element, tags: Blocks) -> Iterator[Finding]:
        intervals = self._semantics.intervals
        if intervals is not None:
            for block in part.iter(tags.block):
                yield from intervals.findings(block, self._path, self._room)


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
