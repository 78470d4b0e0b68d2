"""Messages of the journal for programs: as JSON and as XML. Pure."""

import base64
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from lxml import etree

from gateway.cli._journal_words import is_imported, is_masked, outcome_of, outcome_words
from gateway.cli._journals import short
from gateway.cli._times import full
from gateway.store.journal import Passage
from gateway.traffic.record import Json

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LISTS: Final = {"events": "event", "devices": "device", "routes": "route", "deliveries": "delivery"}
_TEXTS: Final = ("reason", "body", "body_base64")


def facts_of(passage: Passage, *, body: bool = False) -> dict[str, Json]:
    """Give all that is known of a message; with `body` itself, where it is kept: as text, or in base 64."""
    facts: dict[str, Json] = {
        "id": short(passage.id),
        "number": str(passage.id),
        "at": full(passage.at),
        "direction": passage.direction,
        "source": passage.source,
        "system": passage.system or None,
        "kind": passage.kind,
        "verb": passage.verb,
        "noun": passage.noun,
        "message_id": passage.message_id,
        "correlation_id": passage.correlation_id,
        "context": passage.context,
        "events": list(passage.events),
        "devices": list(passage.devices),
        "verdict": passage.verdict,
        "rule": passage.rule or None,
        "code": passage.code or None,
        "outcome": outcome_of(passage),
        "imported": is_imported(passage),
        "in_words": outcome_words(passage),
        "reason": passage.reason or None,
        "routes": list(passage.routes),
        "deliveries": [asdict(one) for one in passage.deliveries],
        "redelivered": passage.redelivered,
        "seconds": passage.seconds,
        "conversation": passage.conversation,
        "routing_key": passage.routing_key,
        "size": passage.size,
    }
    if body:
        facts |= _body(passage.body)
    return facts


def element_of(passage: Passage, *, body: bool = False) -> etree._Element:
    """Give the same as an element: what is one value is an attribute, what may be long or several an element."""
    element = etree.Element("message")
    for name, value in facts_of(passage, body=body).items():
        if name in _LISTS and isinstance(value, list):
            for one in value:
                _add(element, _LISTS[name], one)
        elif name in _TEXTS and value is not None:
            _add(element, name, value)
        elif value not in (None, ""):
            element.set(name, _written(value))
    return element


def story_element(subject: Passage, others: Iterable[Passage]) -> etree._Element:
    """Give a message with its body, and all that belongs to it."""
    story = etree.Element("story")
    story.append(element_of(subject, body=True))
    related = etree.SubElement(story, "related")
    related.extend(element_of(one) for one in others)
    return story


def _body(body: bytes | None) -> dict[str, Json]:
    if body is None:
        return {"body": None}
    masked: dict[str, Json] = {"masked": is_masked(body)}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if (text or not body) and not _NOT_XML.search(text):
        return masked | {"body": text}
    return masked | {"body_base64": base64.b64encode(body).decode()}


def _add(parent: etree._Element, name: str, value: Json) -> None:
    child = etree.SubElement(parent, name)
    if isinstance(value, dict):
        for key, one in value.items():
            if one not in (None, ""):
                child.set(key, _written(one))
    else:
        child.text = _written(value)


def _written(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
