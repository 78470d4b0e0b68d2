"""Recorded messages as tests want them."""

from typing import Any

from gateway.replay import Recorded

NOON = 1_773_748_800.0


def message(
    verb: str = "created", noun: str = "EndDeviceEvents", *, message_id: str = "m-1", correlation_id: str = "",
    context: str = "PRODUCTION", namespace: str = "http://iec.ch/TC57/2011/schema/message", kind: str = "EventMessage",
    timestamp: str = "2026-03-17T12:00:00Z", reply_address: str = "", more: str = "",
) -> bytes:  # fmt: skip
    fields = {
        "Verb": verb, "Noun": noun, "Context": context, "Timestamp": timestamp, "Source": "HES",
        "ReplyAddress": reply_address, "MessageID": message_id, "CorrelationID": correlation_id,
    }  # fmt: skip
    header = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items() if text)
    return f'<{kind} xmlns="{namespace}"><Header>{header}{more}</Header></{kind}>'.encode()


def recorded(position: int = 1, at: float = 0.0, **changes: Any) -> Recorded:
    """A message that came `at` seconds after noon."""
    given: dict[str, Any] = {"body": message(message_id=f"m-{position}"), "source": "HES", "incoming": True} | changes
    return Recorded(position, NOON + at, **given)
