"""Subscriptions as JSON documents, and back; what is empty or as usual is left out."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, cast

from gateway.subscriptions.filters import BadFilter, filter_of
from gateway.subscriptions.values import (
    BadSubscription,
    Delivery,
    Subscription,
    ToFeed,
    ToFile,
    ToQueue,
    ToWebhook,
    check_name,
)

VERSION: Final = 1
"""The version of the documents that are written; those of another version are refused."""

KINDS: Final[Mapping[str, type[Delivery]]] = {"queue": ToQueue, "webhook": ToWebhook, "file": ToFile, "feed": ToFeed}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_TYPES: Final = {"url": str, "path": str, "daily": bool, "most_bytes": int, "keep_seconds": int, "keep_bytes": int}


class BadDocument(ValueError):  # noqa: N818 - says what the text is
    """The text is no subscription of this version."""


def kind_of(delivery: Delivery) -> str:
    """Name a kind of delivery: queue, webhook, file or feed."""
    return _NAMES[type(delivery)]


def document_of(subscription: Subscription) -> dict[str, object]:
    """Give a subscription as what JSON is made of."""
    delivery = subscription.delivery
    given = {field.name: getattr(delivery, field.name) for field in fields(delivery)}
    usual = {field.name: field.default for field in fields(delivery) if field.default is not MISSING}
    said = {name: value for name, value in given.items() if name not in usual or usual[name] != value}
    note = {"note": subscription.note} if subscription.note else {}
    return {
        "version": VERSION,
        "name": subscription.name,
        "filter": {name: list(texts) for name, texts in subscription.filter.values.items()},
        "delivery": {"to": kind_of(delivery), **said},
        "created_at": subscription.created_at,
        "created_by": subscription.created_by,
        **note,
    }


def to_json(subscription: Subscription) -> str:
    """Write a subscription."""
    return json.dumps(document_of(subscription), separators=(",", ":"))


def from_json(text: str) -> Subscription:
    """Read a subscription. Raises `BadDocument`."""
    try:
        document = cast("dict[str, Any]", json.loads(text))
        version = document["version"]
        if version != VERSION:
            raise BadDocument(f"It is a subscription of version {version}; this release reads version {VERSION}.")
        return Subscription(
            check_name(str(document["name"])),
            filter_of(document["filter"]),
            _delivery(document["delivery"]),
            float(document["created_at"]),
            str(document["created_by"]),
            str(document.get("note", "")),
        )
    except (BadFilter, BadSubscription) as error:
        raise BadDocument(str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise error if isinstance(error, BadDocument) else BadDocument(f"It is no subscription: {error}.") from error


def _delivery(document: Mapping[str, object]) -> Delivery:
    given = dict(document)
    kind = KINDS[str(given.pop("to"))]
    for name, value in given.items():
        if type(value) is not _TYPES[name]:
            raise TypeError(f"{name} is {value!r}")
    return kind(**cast("dict[str, Any]", given))
