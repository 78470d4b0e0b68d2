"""Which places of a message hold personal data: simple paths per noun, compiled once.

    //Customer/name     every name in a Customer, wherever it stands
    //Customer//name    the same, at any depth below Customer
    /CustomerConfig/*/comment     from the root of a payload; * is any element
    //Name/@id, //@ssn  an attribute

Names are local ones: namespaces do not matter, so that vendors' forms are masked too.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from lxml import etree

from gateway.message.envelope import Message
from gateway.message.nouns import OPERATION_SET, PART9_NOUNS, get_profile
from gateway.message.places import local_name

EVERY_NOUN: Final = "*"
ANY_NAME: Final = "*"
_NAME: Final = re.compile(r"[^\W\d][\w.\-]*")
_STEP: Final = re.compile(r"(//?)([^/]*)")
_ROOTS_STAND_IN: Final = frozenset({"Payload", "Operation", "Request", "Reply", "Body"})
_KNOWN_NOUNS: Final = PART9_NOUNS | {OPERATION_SET}


class BadMask(ValueError):  # noqa: N818 - says what the text is
    """A path, or the noun it is for, cannot be used. The text says which, what is wrong, and what to write."""


@dataclass(frozen=True, slots=True)
class MaskPath:
    """One path. `steps` are (anywhere below, name), from the outermost; `attribute` is empty for elements."""

    text: str
    steps: tuple[tuple[bool, str], ...]
    attribute: str = ""

    @property
    def last(self) -> str:
        """The name of the element that is masked, or that has the attribute; `*` for any."""
        return self.steps[-1][1] if self.steps else ANY_NAME

    def takes(self, element: etree._Element) -> bool:
        """Tell whether the path leads to an element."""
        return not self.steps or _leads_to(self.steps, element)


@dataclass(frozen=True, slots=True)
class Masks:
    """The paths of all nouns, `*` standing for every noun. False where there are none.

    A message of a noun that is not among `known_nouns` is masked by all paths: nobody knows what it holds.
    """

    by_noun: Mapping[str, tuple[MaskPath, ...]] = field(default_factory=dict)
    known_nouns: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.by_noun)

    def concern(self, message: Message) -> bool:
        """Tell, at the cost of a look-up or two, whether anything can be masked in a message.

        It trusts the noun and the roots, as the checks have left them. Do not ask of a message that was refused: mask.
        """
        mine = self.by_noun
        if not mine:
            return False
        noun = message.header.noun
        if noun in mine or EVERY_NOUN in mine or noun == OPERATION_SET or noun not in self.known_nouns:
            return True
        return any(local_name(root) in mine for root in message.content)

    def within(self, header_noun: str, nouns: Collection[str] = ()) -> Iterator[tuple[str, MaskPath]]:
        """Give the paths that may lead somewhere in a document, each with the noun that it is for.

        `nouns` are those that the document names besides its header's. `*` comes back for what is masked everywhere.
        """
        strange = header_noun not in self.known_nouns
        for noun, paths in self.by_noun.items():
            if strange or noun in (EVERY_NOUN, header_noun):
                yield from ((EVERY_NOUN, path) for path in paths)
            elif noun in nouns:
                yield from ((noun, path) for path in paths)


NO_MASKS: Final = Masks()


def compile_masks(declared: Mapping[str, Sequence[str]], known_nouns: Iterable[str] = _KNOWN_NOUNS) -> Masks:
    """Read the paths as they are declared, by noun. Raises `BadMask` for the first that cannot be used.

    A noun that is not known is refused: its paths would never mask anything, and nobody would notice.
    """
    known = frozenset(known_nouns)
    by_noun: dict[str, tuple[MaskPath, ...]] = {}
    for noun, paths in declared.items():
        if noun != EVERY_NOUN and noun not in known:
            near = get_close_matches(noun, known, 1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise BadMask(f"Masks for '{noun}': no such noun; {hint}Write * for every noun.")
        compiled = tuple(_path(text, f"Mask {number} of {noun}") for number, text in enumerate(paths, start=1))
        if compiled:
            by_noun[noun] = compiled
    return Masks(by_noun, known)


def nouns_of(root: etree._Element, masks: Masks) -> set[str]:
    """Give those nouns with masks that a document names, as a root of a payload or a parameter, or in a header."""
    wanted = [noun for noun in masks.by_noun if noun != EVERY_NOUN]
    if not wanted:
        return set()
    named = {name: noun for noun in wanted for name in (noun, get_profile(noun))}
    found = {named[local_name(element)] for element in root.iter(*(f"{{*}}{name}" for name in named))}
    texts = {(element.text or "").strip() for element in root.iter("{*}Noun", "{*}noun")}
    return found | (texts & masks.by_noun.keys())


def in_scope(element: etree._Element, noun: str) -> bool:
    """Tell whether an element belongs to what a noun's masks are for: its payload root, or its operation's noun."""
    if noun == EVERY_NOUN:
        return True
    names = (noun, get_profile(noun))
    current: etree._Element | None = element
    while current is not None:
        name = local_name(current)
        if name in names:
            return True
        if name == "Operation" and (current.findtext("{*}noun") or "").strip() == noun:
            return True
        current = current.getparent()
    return False


def _leads_to(steps: Sequence[tuple[bool, str]], element: etree._Element) -> bool:
    anywhere, name = steps[-1]
    if name not in (ANY_NAME, local_name(element)):
        return False
    outer, parent = steps[:-1], element.getparent()
    if not outer:
        return anywhere or parent is None or local_name(parent) in _ROOTS_STAND_IN
    if not anywhere:
        return parent is not None and _leads_to(outer, parent)
    return any(_leads_to(outer, ancestor) for ancestor in element.iterancestors())


def _path(text: str, where: str) -> MaskPath:
    where = f"{where}, '{text}'"
    if not text.startswith("/"):
        raise BadMask(f"{where}: it must begin with // (anywhere) or / (the root of a payload). Write //{text}.")
    steps: list[tuple[bool, str]] = []
    attribute, found = "", _STEP.findall(text)
    for number, (slashes, name) in enumerate(found, start=1):
        if not name:
            raise BadMask(f"{where}: step {number} is empty; a path ends with a name and has at most // in a row.")
        if name.startswith("@"):
            if number < len(found):
                raise BadMask(f"{where}: step {number} is an attribute, and nothing can follow one.")
            attribute = _checked(name[1:], number, where)
            if slashes == "//" and steps:
                raise BadMask(f"{where}: step {number} must follow a single /. Or mask the elements: leave it out.")
        else:
            steps.append((slashes == "//", name if name == ANY_NAME else _checked(name, number, where)))
    if not steps and found[0][0] == "/":
        raise BadMask(f"{where}: no root of a payload is named. Write //@{attribute}.")
    return MaskPath(text, tuple(steps), attribute)


def _checked(name: str, number: int, where: str) -> str:
    if _NAME.fullmatch(name):
        return name
    prefix, colon, local = name.partition(":")
    if colon and _NAME.fullmatch(prefix) and _NAME.fullmatch(local):
        raise BadMask(f"{where}: step {number} has a prefix. Write {local}: namespaces do not matter here.")
    advice = "Write names of elements, *, and at the end @name for an attribute; no conditions and no functions."
    raise BadMask(f"{where}: step {number}, '{name}', is no name. {advice}")
