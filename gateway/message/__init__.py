"""The IEC 61968-100 envelope: reading, building, verbs, nouns, namespaces, operation sets. Pure."""

from gateway.message.building import NotExpressible, build
from gateway.message.envelope import Envelope, Header, Message, Property, Reply, ReplyError
from gateway.message.findings import Finding, Severity, Unreadable
from gateway.message.namespaces import EnvelopeVersion
from gateway.message.parsing import DEFAULT_LIMITS, Limits
from gateway.message.reading import read
from gateway.message.verbs import MessageKind, Verb

__all__ = [
    "DEFAULT_LIMITS",
    "Envelope",
    "EnvelopeVersion",
    "Finding",
    "Header",
    "Limits",
    "Message",
    "MessageKind",
    "NotExpressible",
    "Property",
    "Reply",
    "ReplyError",
    "Severity",
    "Unreadable",
    "Verb",
    "build",
    "read",
]
