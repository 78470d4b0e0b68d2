"""An element that its parent does not know: what it was meant to be, or where in the profile it belongs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.message.places import local_name, tag_of
from gateway.validation.particles import Content, Slot
from gateway.validation.wording import listed, local, namespace, nearest

_FEW: Final = 4
_PLACES: Final = 3

Homes = Callable[[etree._Element, str], Sequence[str]]
"""Gives the paths to the elements that may hold one of a name: below the parent where there are any, else from the root
of the profile, with a slash at the head."""


@dataclass(frozen=True, slots=True)
class Stranger:
    """What is to be said of it: a text, an advice, and the name `{namespace}local` that it seems to stand for."""

    text: str
    advice: str
    meant: str = ""


def stranger(
    element: etree._Element,
    parent: etree._Element,
    content: Content,
    missing: Sequence[Slot],
    expected: tuple[str, ...],
    homes: Homes,
) -> Stranger:
    """Explain an element whose name its parent's content does not have. `expected` may stand in its place."""
    tag, within = tag_of(element), local_name(parent)
    name = local(tag)
    twin = next((known for known in content.names if local(known) == name), None)
    if twin is not None:
        where = f"in the namespace '{namespace(tag)}'" if namespace(tag) else "in no namespace"
        return Stranger(
            f"{name} is {where}; in {within} it belongs to another.",
            f"Write {name} in the namespace '{namespace(twin)}'.",
            twin,
        )
    text = f"{within} has no element {name}."
    if not content.names:
        return Stranger(text, f"Take {name} out: {within} holds no elements.")
    lacking = [known for slot in missing for known in slot.names]
    same = next((known for known in (*lacking, *content.names) if local(known).lower() == name.lower()), None)
    places = [] if same is not None else homes(parent, name)
    inside = [place for place in places if not place.startswith("/")]
    if inside:
        return Stranger(text, f"Put {name} into {listed(inside[:_PLACES], 'or')}.")
    close = nearest(name, map(local, lacking)) or nearest(name, map(local, content.names))
    if close is not None:
        meant = next(known for known in (*lacking, *content.names) if local(known) == close)
        return Stranger(text, f"Write {close}.", meant)
    if places:
        known_in = listed([place[1:] for place in places[:_PLACES]], "or")
        return Stranger(text, f"Take {name} out; in this profile it belongs into {known_in}.")
    if expected and len(expected) <= _FEW:
        return Stranger(text, f"Take {name} out, or write {listed(expected, 'or')} here.")
    return Stranger(text, f"Take {name} out.")
