"""From bytes to a `Message`: parses once, reads the header, finds the parts. Says nothing about validity."""

from typing import Any, Final

from lxml import etree

from gateway.codes import ReplyCode
from gateway.message.envelope import Header, Message, Property, ReplayDetection, User
from gateway.message.findings import Finding, Unreadable
from gateway.message.namespaces import SOAP_NAMESPACES, EnvelopeVersion
from gateway.message.parsing import DEFAULT_LIMITS, Limits, parse
from gateway.message.places import tag_of, xpath_of
from gateway.message.verbs import MessageKind

_KINDS: Final = {kind.value: kind for kind in MessageKind}
_MESSAGES: Final = {f"{{{d.namespace}}}{kind}": (d, kind) for d in EnvelopeVersion for kind in MessageKind}
_TEXTS: Final = {
    "Verb": "verb",
    "Noun": "noun",
    "Revision": "revision",
    "Context": "context",
    "Timestamp": "timestamp",
    "Source": "source",
    "AsyncReplyFlag": "async_reply_flag",
    "ReplyAddress": "reply_address",
    "AckRequired": "ack_required",
    "MessageID": "message_id",
    "CorrelationID": "correlation_id",
    "Comment": "comment",
}
"""Elements of a header that hold text alone, and the fields that hold them here."""
_FIELDS: Final = {f"{{{v.namespace}}}{name}": field for v in EnvelopeVersion for name, field in _TEXTS.items()}
_TRUE: Final = frozenset({"true", "1"})
_ROOTS: Final = "RequestMessage, ResponseMessage or EventMessage"


def read(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> Message:
    """Read one message.

    A SOAP envelope is opened and noted (`wrapped`), so that the message inside can be judged as well.
    Raises `Unreadable`: code 1.8 where the bytes are no message, 1.5 where the header lacks its verb or noun.
    """
    return message_of(raw, parse(raw, limits))


def message_of(raw: bytes, document: etree._Element) -> Message:
    """Give the message of a document that was parsed from `raw`; raises as `read` does."""
    root, wrapped = document, False
    known = _MESSAGES.get(tag_of(root))
    if known is None:
        root, wrapped = _unwrap(root)
        known = _MESSAGES.get(tag_of(root))
        if known is None:
            raise _no_message(root, *_split(tag_of(root)))
    version, kind = known
    prefix = version.prefix
    parts = {tag_of(child): child for child in reversed(root)}  # the first of each name; the schema refuses a second
    payload = parts.get(prefix + "Payload")
    content = () if payload is None else tuple([child for child in payload if not tag_of(child).startswith(prefix)])
    return Message(
        raw=raw,
        kind=kind,
        version=version,
        header=_header(root, parts.get(prefix + "Header"), version, kind),
        root=root,
        request=parts.get(prefix + "Request"),
        reply=parts.get(prefix + "Reply"),
        payload=payload,
        content=content,
        wrapped=wrapped,
    )


def _split(tag: str) -> tuple[str, str]:
    if tag[0] == "{":
        namespace, _, local = tag[1:].partition("}")
        return namespace, local
    return "", tag


def _unwrap(document: etree._Element) -> tuple[etree._Element, bool]:
    namespace, local = _split(tag_of(document))
    if local != "Envelope" or namespace not in SOAP_NAMESPACES:
        return document, False
    body = document.find(f"{{{namespace}}}Body")
    if body is None or len(body) == 0:
        raise Unreadable(
            Finding(
                "soap-wrapped",
                ReplyCode.SCHEMA_VALIDATION_FAILED,
                "A SOAP envelope without a message in its Body.",
                f"Send the bare message over AMQP: {_ROOTS} as the root.",
                line=document.sourceline,
            )
        )
    return body[0], True


def _header(
    root: etree._Element, element: etree._Element | None, version: EnvelopeVersion, kind: MessageKind
) -> Header:
    if kind is MessageKind.FAULT:
        return Header("", "")
    if element is None:
        raise _unusable_header(root, "The message has no Header.", "Header", version)
    values: dict[str, Any] = {}
    others: list[etree._Element] = []
    for child in element:  # every message comes through here: what most headers lack stands outside the loop
        field = _FIELDS.get(child.tag)  # type: ignore[arg-type]  # comments are not parsed: a tag is text
        if field is None:
            others.append(child)
        elif field not in values:
            values[field] = child.text or ""
    if not values.get("verb", "").strip() or not values.get("noun", "").strip():
        missing = "Noun" if values.get("verb", "").strip() else "Verb"
        raise _unusable_header(element, f"The header has no {missing}, or an empty one.", missing, version)
    if others:
        values |= _groups(others, version.prefix)
    for flag in ("async_reply_flag", "ack_required"):
        if flag in values:
            values[flag] = values[flag].strip() in _TRUE
    return Header(**values)


def _groups(elements: list[etree._Element], prefix: str) -> dict[str, Any]:
    """Read what a header holds beside plain texts; extensions are left alone."""
    values: dict[str, Any] = {}
    properties: list[Property] = []
    for element in elements:
        tag = tag_of(element)
        if tag == prefix + "Property":
            inside = _texts(element)
            properties.append(Property(inside.get(prefix + "Name", ""), inside.get(prefix + "Value")))
        elif tag == prefix + "User":
            inside = _texts(element)
            values["user"] = User(inside.get(prefix + "UserID", ""), inside.get(prefix + "Organization"))
        elif tag == prefix + "ReplayDetection":
            inside = _texts(element)
            nonce, created = inside.get(prefix + "Nonce", ""), inside.get(prefix + "Created", "")
            values["replay_detection"] = ReplayDetection(nonce, created)
    if properties:
        values["properties"] = tuple(properties)
    return values


def _texts(element: etree._Element) -> dict[str, str]:
    """Give the texts of an element's children by tag, the first of each: one sweep, where findtext() makes several."""
    return {tag_of(child): child.text or "" for child in reversed(element)}


def is_strongly_typed(root: etree._Element) -> bool:
    """Tell whether a root is one of SOAP services with a type for each noun: its namespace ends in `<Noun>Message`."""
    return _split(tag_of(root))[0].endswith("Message")


def strongly_typed(root: etree._Element) -> Finding:
    """Tell that a message is strongly typed (IEC 61968-100 Annex C), where the generic form is wanted."""
    namespace, local = _split(tag_of(root))
    return Finding(
        "strongly-typed",
        ReplyCode.SCHEMA_VALIDATION_FAILED,
        f"{local} is a strongly typed message ({namespace}), as SOAP services use them.",
        f"Over AMQP send {_ROOTS}, with the verb and the noun in the header.",
        xpath=xpath_of(root),
        line=root.sourceline,
        element=local,
        found=local,
        allowed=tuple(kind.value for kind in MessageKind),
    )


def _unusable_header(place: etree._Element, text: str, missing: str, version: EnvelopeVersion) -> Unreadable:
    return Unreadable(
        Finding(
            "header-unusable",
            ReplyCode.MANDATORY_HEADER_ELEMENTS_MISSING,
            text,
            f"Write {missing}: Verb and Noun are the two mandatory elements of every Header.",
            xpath=xpath_of(place),
            line=place.sourceline,
            element=missing,
            allowed=(missing,),
        ),
        version,
    )


def _no_message(root: etree._Element, namespace: str, local: str) -> Unreadable:
    known = ", ".join(version.namespace for version in EnvelopeVersion)
    if local in _KINDS:
        text = f"{local} is in the namespace '{namespace}', which is no known version of the envelope."
        advice = f"Use one of {known}; or let the operator of the gateway map yours ([[sources]], namespaces)."
    elif is_strongly_typed(root):
        return Unreadable(strongly_typed(root))
    else:
        text = f"The root element is {local} in the namespace '{namespace}', not a message of IEC 61968-100."
        advice = f"The root must be {_ROOTS}, in one of the namespaces {known}."
    return Unreadable(
        Finding(
            "envelope-root",
            ReplyCode.SCHEMA_VALIDATION_FAILED,
            text,
            advice,
            xpath=xpath_of(root),
            line=root.sourceline,
            element=local,
            found=local,
            allowed=tuple(kind.value for kind in MessageKind),
        )
    )
