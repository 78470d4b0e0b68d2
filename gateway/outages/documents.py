"""The state of a device as a JSON document, and back."""

import json
from typing import Final, cast

from gateway.outages.codes import Scope
from gateway.outages.state import DeviceState, Fact

VERSION: Final = 1
"""The version of the documents that are written; those of another version are refused."""

_SHORT: Final = 3


class BadState(ValueError):  # noqa: N818 - says what the text is
    """The text is no state of a device, of this version."""


def to_json(state: DeviceState) -> str:
    """Write the state of a device."""
    facts = [fact[: _SHORT if not (fact.id or fact.said) else None] for fact in state.facts]
    return json.dumps({"version": VERSION, "facts": facts}, separators=(",", ":"))


def from_json(text: str) -> DeviceState:
    """Read the state of a device back. Raises `BadState`."""
    try:
        document = json.loads(text)
        if document["version"] != VERSION:
            raise BadState(f"A device's state of version {document['version']}; this gateway reads version {VERSION}.")
        return DeviceState(tuple(map(_fact, document["facts"])))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, BadState) else BadState(f"No state of a device: {error}.") from error


def _fact(values: object) -> Fact:
    at, back, scope, *texts = cast("list[object]", values)
    if type(at) is not int or type(back) is not bool or not all(isinstance(text, str) for text in texts):
        raise TypeError("a fact is a time, true or false, a scope and texts")
    return Fact(at, back, Scope(cast("str", scope)), *cast("list[str]", texts))
