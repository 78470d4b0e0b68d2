"""Messages written the way partners write them."""

from collections.abc import Callable

from gateway.message import Message

FINAL = "http://iec.ch/TC57/2011/schema/message"
DRAFT = "http://www.iec.ch/TC57/2011/schema/message"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"

Read = Callable[..., Message]


def event(
    verb: str = "created",
    noun: str = "EndDeviceEvents",
    *,
    kind: str = "EventMessage",
    envelope: str = FINAL,
    payload: str = "http://iec.ch/TC57/2011/EndDeviceEvents#",
    root: str = "EndDeviceEvents",
    header: str = "<Source>HES</Source>",
) -> bytes:
    """Write an event about one outage, with whatever is odd about it."""
    return f"""<{kind} xmlns="{envelope}">
  <Header><Verb>{verb}</Verb><Noun>{noun}</Noun>{header}</Header>
  <Payload>
    <{root} xmlns="{payload}">
      <EndDeviceEvent>
        <createdDateTime>2026-03-01T08:00:00Z</createdDateTime>
        <EndDeviceEventType ref="3.26.0.85"/>
      </EndDeviceEvent>
    </{root}>
  </Payload>
</{kind}>""".encode()


def wrapped(message: bytes) -> bytes:
    """Put a message into a SOAP envelope."""
    return (
        f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body>'.encode() + message + b"</s:Body></s:Envelope>"
    )  # fmt: skip


def typed(
    operation: str, noun: str, verb: str, content: str, *, header: str = "", space: str = DRAFT, www: str = "www."
) -> bytes:
    """Write a strongly typed message: Header and Payload in a namespace of the noun, the header's content not."""
    return f"""<t:{operation} xmlns:t="http://{www}iec.ch/TC57/2011/{noun}Message" xmlns:m="{space}">
  <t:Header><m:Verb>{verb}</m:Verb><m:Noun>{noun}</m:Noun>{header}</t:Header>
  {content}
</t:{operation}>""".encode()
