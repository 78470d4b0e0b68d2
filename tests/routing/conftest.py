"""Messages and tables for the tests of routing."""

from collections.abc import Callable, Mapping

import pytest

from gateway.message import Envelope, EnvelopeVersion, Header, Message, MessageKind, Property, build, read
from gateway.message.nouns import PART9_NOUNS
from gateway.message.verbs import EVENT_VERBS
from gateway.routing import RouteTable, load

MakeMessage = Callable[..., Message]
Load = Callable[..., RouteTable]


def make_message(
    noun: str,
    verb: str,
    *,
    source: str | None = "HES-NORTH",
    context: str | None = "TESTING",
    properties: Mapping[str, str] | None = None,
    payload: str = "",
    kind: MessageKind | None = None,
    version: EnvelopeVersion = EnvelopeVersion.FINAL,
) -> Message:
    items = tuple(Property(name, value) for name, value in (properties or {}).items())
    header = Header(verb, noun, context=context, source=source, properties=items)
    raw = build(Envelope(kind or (MessageKind.EVENT if verb in EVENT_VERBS else MessageKind.REQUEST), header), version)
    if payload:
        raw = raw.replace(b"</Header>", f"</Header><Payload>{payload}</Payload>".encode())
    return read(raw)


def codes(noun: str, element: str, *refs: str) -> str:
    inner = "".join(f'<Item><{element} ref="{ref}"/></Item>' for ref in refs)
    return f'<{noun} xmlns="http://iec.ch/TC57/2011/{noun}#">{inner}</{noun}>'


@pytest.fixture(name="message", scope="session")
def message_fixture() -> MakeMessage:
    return make_message


@pytest.fixture(name="payload_with")
def payload_with_fixture() -> Callable[..., str]:
    return codes


@pytest.fixture(name="routes")
def routes_fixture() -> Load:
    def load_files(**files: str) -> RouteTable:
        return load({f"{name}.toml": text for name, text in files.items()}, nouns=PART9_NOUNS)

    return load_files
