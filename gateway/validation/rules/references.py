"""References: `ref` holds a code of the standard, or points to an object that the same payload declares."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Final

from lxml import etree

from gateway.codes import BadCode, CodeKind, ControlType, EventType, QualityCode, ReadingType, ReplyCode
from gateway.message import Finding
from gateway.message.places import tag_of
from gateway.validation.registry import CODE_SYNTAX, REF_DANGLING, REF_EMPTY, Rule
from gateway.validation.rules.tally import Note, Tally
from gateway.validation.vocabulary import Target, Vocabulary
from gateway.validation.wording import article, local, nearest, shortened

_MOST_DECLARED: Final = 20_000
"""Ids that are remembered of one payload. With more of them, nothing is said about references that miss theirs."""
_MOST_KNOWN: Final = 4096
_LONGEST_KNOWN: Final = 80
_MOST_SHOWN: Final = 10
_PLACEHOLDERS: Final = frozenset({"", "?"})
_READ: Final[Mapping[CodeKind, Callable[[str], object]]] = {
    CodeKind.READING: ReadingType.parse,
    CodeKind.QUALITY: QualityCode.parse,
    CodeKind.EVENT: EventType.parse,
    CodeKind.CONTROL: ControlType.parse,
}
_EXAMPLES: Final[Mapping[CodeKind, str]] = {
    CodeKind.READING: "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
    CodeKind.QUALITY: "2.5.259",
    CodeKind.EVENT: "3.26.0.85",
    CodeKind.CONTROL: "3.31.0.23",
}


class KnownCodes:
    """The refs of one schema that were found to be codes: a site uses some hundreds, and they come again and again."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.by_tag: dict[object, set[str | None]] = {tag: set() for tag in vocabulary.references}
        self.by_tag |= {tag: set() for tag in vocabulary.declared if tag not in self.by_tag}
        self.tags = (*vocabulary.references, *(vocabulary.declared - set(vocabulary.references)))

    def learn(self, tag: str, ref: str) -> None:
        """Remember a code, unless a partner tries to fill the memory."""
        known = self.by_tag[tag]
        if len(known) < _MOST_KNOWN and len(ref) <= _LONGEST_KNOWN:
            known.add(ref)


class References:
    """Collects what one payload declares and what its references say; judged at the end, when all is declared."""

    def __init__(self, vocabulary: Vocabulary, known: KnownCodes, path: Callable[[etree._Element], str]) -> None:
        self._vocabulary = vocabulary
        self._known = known
        # Apart, so that many references to objects do not leave a wrong code untold.
        self._codes: Tally[tuple[str, str]] = Tally(path)
        self._open: Tally[tuple[str, str]] = Tally(path)
        self._declared: dict[str, set[str]] = {}
        self._too_many = False

    def note(self, element: etree._Element) -> None:
        """Note a reference that is not known to be a code, or an object that references may point to."""
        tag, ref = tag_of(element), element.get("ref")
        target = self._vocabulary.references.get(tag)
        if ref is None and len(element):
            self._declare(tag, element)
        elif target is not None:
            if ref is not None and target.kind is not None and target.kind.well_formed(ref):
                self._known.learn(tag, ref)
            elif ref is not None or not self._is_below_root(element):
                is_code = target.kind is not None and _looks_like_code(ref or "")
                (self._codes if is_code else self._open).add((tag, ref or ""), element)

    def findings(self) -> Iterator[Finding]:
        """Give what was found. A code that is none is an error; whatever the payload declares is good."""
        for (tag, ref), note in chain(self._codes, self._open):
            target = self._vocabulary.references[tag]
            declared = frozenset[str]().union(*(self._declared.get(other, ()) for other in target.tags))
            if ref in declared:
                continue
            if ref.strip() in _PLACEHOLDERS:
                yield _empty(ref, note, target)
            elif target.kind is not None and _looks_like_code(ref):
                yield _no_code(ref, note, target.kind)
            elif not self._too_many:
                yield _dangling(ref, note, target, declared)

    def _declare(self, tag: str, element: etree._Element) -> None:
        space = tag.removesuffix(local(tag))
        ids = [element.findtext(f"{space}mRID"), *(e.text for e in element.iterfind(f"{space}Names/{space}name"))]
        declared = self._declared.setdefault(tag, set())
        declared.update(text.strip() for text in ids if text and text.strip())
        if len(declared) > _MOST_DECLARED:
            self._too_many = True
            declared.clear()

    def _is_below_root(self, element: etree._Element) -> bool:
        """Tell whether an element stands where objects are declared, so that it is no reference without its ref."""
        parent = element.getparent()
        return parent is not None and tag_of(parent) in self._vocabulary.roots


def _looks_like_code(text: str) -> bool:
    """Tell whether a text is meant as a code: numbers with dots, perhaps one of them mistyped."""
    parts = text.strip().split(".")
    numbers = sum(part.removeprefix("-").isdecimal() for part in parts)
    return len(parts) > 1 and all(len(part) < 12 for part in parts) and numbers * 2 > len(parts)  # noqa: PLR2004


def _no_code(ref: str, note: Note, kind: CodeKind) -> Finding:
    try:
        _READ[kind](ref)
        reason = "it is not written as one"
    except BadCode as error:
        reason = str(error)
    text = f"'{shortened(ref)}' is no {kind.element} code: {reason}.{note.more}"
    if "*" in ref:
        advice = "Write numbers alone: a message names one code, * is for the patterns of routes."
    else:
        advice = (
            f"Write {kind.parts} numbers with dots between them, such as {_EXAMPLES[kind]}; "
            f"or declare {article(kind.element)} with this mRID or name in the payload."
        )
    return CODE_SYNTAX.finding(note.place, text, advice, found=shortened(ref), code=_code(kind, CODE_SYNTAX))


def _empty(ref: str, note: Note, target: Target) -> Finding:
    name = note.place.element
    said = f"The ref of {name} is {shortened(ref)!r}" if ref else f"{name} has no ref, or an empty one"
    text = f"{said}, so it refers to nothing.{note.more}"
    advice = f"Write in ref {_wanted(target)}."
    if "?" in ref:
        advice = f"A question mark is what templates leave open. {advice}"
    return REF_EMPTY.finding(note.place, text, advice, found=shortened(ref), code=_code(target.kind, REF_EMPTY))


def _dangling(ref: str, note: Note, target: Target, declared: frozenset[str]) -> Finding:
    clauses = ["which is no code"] if target.kind is not None else []
    if target.tags:
        clauses.append(f"and no {_objects(target)} of the payload has it as mRID or name")
    text = f"{note.place.element} refers to '{shortened(ref)}', {', '.join(clauses)}.{note.more}"
    close = nearest(ref, declared)
    advice = f"Write '{shortened(close)}'." if close is not None else f"Write {_wanted(target)}."
    shown = tuple(shortened(name) for name in sorted(declared)[:_MOST_SHOWN])
    return REF_DANGLING.finding(
        note.place, text, advice, found=shortened(ref), allowed=shown, code=_code(target.kind, REF_DANGLING)
    )


def _wanted(target: Target) -> str:
    code = "" if target.kind is None else f"a code, such as {_EXAMPLES[target.kind]}"
    declared = f"the mRID or a name of {article(_objects(target))} that the payload declares" if target.tags else ""
    return ", or ".join(part for part in (code, declared) if part)


def _objects(target: Target) -> str:
    return " or ".join(sorted(local(tag) for tag in target.tags))


def _code(kind: CodeKind | None, rule: Rule) -> ReplyCode:
    return ReplyCode.INVALID_READING_TYPE if kind is CodeKind.READING else rule.code
