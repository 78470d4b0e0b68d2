"""What the journal holds of a message, in words. Pure."""

from typing import Final

from gateway.cli._journal_filters import DEAD, IMPORTED, OF_IMPORTED
from gateway.cli._shared import counted
from gateway.message import MessageKind
from gateway.message.blanking import MARK
from gateway.store.journal import Passage

OPERATOR: Final = "operator"
"""The kind of passage that is no message, but what a person did about one."""
REPLAYED: Final = "replayed"
"""The outcome of what began a replay; its note names it."""
GATEWAY: Final = "cimgate"
_MOST_NAMES: Final = 2
_TOPIC: Final = "topic:"
_EVENTS: Final = ".EVENTS."
_SUBSCRIBERS: Final = "subscribers"

_CONVERSATION: Final = {
    MessageKind.REQUEST: "passed on",
    MessageKind.RESPONSE: "reply taken",
    MessageKind.FAULT: "reply taken",
    MessageKind.EVENT: "event taken",
}
_IN_FULL: Final = {
    "delivered": "delivered to who was to get it",
    "duplicate": "it had come before: not delivered a second time",
    "sent": "the gateway made it and sent it",
    "undeliverable": "the gateway made it, and could not deliver it",
    "retried": "sent again",
    "discarded": "taken out of the dead letters, for good",
    "edited": "changed, and sent again",
    REPLAYED: "sent once more, as they were recorded",
}
_IN_FULL_OF_CONVERSATION: Final = {
    MessageKind.REQUEST: "passed on to the systems of its routes; their replies are awaited or have come",
    MessageKind.RESPONSE: "a reply, taken by the conversation that it answers",
    MessageKind.FAULT: "a reply, taken by the conversation that it answers",
    MessageKind.EVENT: "an event, taken by the conversation that it follows",
}
_DEAD: Final = {
    "unreadable": "it could not be read",
    "invalid": "it broke a schema or a rule",
    "foreign-context": "it is for another context than this gateway's",
    "unbound": "nothing is bound to its routing key",
    "unroutable": "no route takes it",
    "no-conversation": "it answers no request that is known",
    "undeliverable": "the place that it was to go to is not there, or does not take it",
    "internal-error": "a defect of the gateway",
}
_TO_DO: Final = {
    "unreadable": "Write it out with `--raw FILE`, look at it, and have its sender send it again.",
    "invalid": "Write it out with `--raw FILE`; `cimgate validate FILE` shows the place. Its sender must mend it and "
    "send it again, or a person does: `cimgate dead edit-and-retry`.",
    "foreign-context": "Have its sender write this gateway's context (`cimgate config show` has it), or send it to "
    "the gateway of its own.",
    "unbound": "Have its sender publish with a routing key of `cimgate topology show`.",
    "unroutable": "Write it out with `--raw FILE`; `cimgate routes explain FILE` says why no route takes it. Mend the "
    "routes, then `cimgate dead retry`.",
    "no-conversation": "`cimgate conversations show CORRELATIONID` tells whether its request was ever there; late "
    "replies and wrong CorrelationIDs end here.",
    "undeliverable": "Make the queue or the binding (`cimgate topology apply`), then `cimgate dead retry`.",
    "internal-error": "Look for its MessageID in the gateway's log: the traceback is there. Tell the makers.",
}


def outcome_of(passage: Passage) -> str:
    """Give the outcome without the mark of what was imported."""
    return passage.outcome.removeprefix(OF_IMPORTED)


def is_imported(passage: Passage) -> bool:
    """Tell whether it came from a file: it did not pass this gateway."""
    return passage.keep == IMPORTED


def dead_reason(passage: Passage) -> str | None:
    """Give the reason by which it is a dead letter, None where it is none."""
    outcome = outcome_of(passage)
    return outcome.removeprefix(DEAD) if outcome.startswith(DEAD) else None


def what(passage: Passage) -> str:
    """Name the message: `created(EndDeviceEvents)`, else its kind."""
    if passage.verb or passage.noun:
        return f"{passage.verb or '?'}({passage.noun or '?'})"
    if passage.kind == OPERATOR:
        return "(many messages)" if passage.outcome == REPLAYED else "(of a message)"
    return passage.kind or "(unreadable)"


def sender(passage: Passage) -> str:
    """Name who a message came from, or who did something about one."""
    return passage.source or "?" if passage.direction == "in" else GATEWAY


def receivers(passage: Passage) -> str:
    """Name who got it, shortly: systems, or the places where no system is known; empty where nobody did."""
    if passage.kind == OPERATOR:
        return ""
    names = [one.system or _shortly(one.place) for one in passage.deliveries]
    if passage.direction == "out":
        names = [passage.system] if passage.system else names or ["?"]
    every = list(dict.fromkeys(names))
    more = f" +{len(every) - _MOST_NAMES}" if len(every) > _MOST_NAMES else ""
    return f"{', '.join(every[:_MOST_NAMES])}{more}"


def outcome_words(passage: Passage) -> str:
    """Say the outcome in a word or two, for a list; that it was imported is not said."""
    outcome = outcome_of(passage)
    if outcome == "conversation":
        return _CONVERSATION.get(MessageKind(passage.kind), outcome) if passage.kind in tuple(MessageKind) else outcome
    reason = dead_reason(passage)
    return f"dead: {reason}" if reason is not None else outcome or "?"


def outcome_sentence(passage: Passage) -> str:
    """Say the outcome in a sentence."""
    outcome, reason = outcome_of(passage), dead_reason(passage)
    if reason is not None:
        return f"in the dead letters ({reason}): {_DEAD.get(reason, 'a reason that this release does not know')}"
    if outcome == "conversation":
        kind = MessageKind(passage.kind) if passage.kind in tuple(MessageKind) else None
        return _IN_FULL_OF_CONVERSATION.get(kind, "taken by a conversation") if kind else "taken by a conversation"
    if outcome == "delivered":
        names = list(dict.fromkeys(one.system or _shortly(one.place) for one in passage.deliveries))
        return f"delivered to {', '.join(names)}" if names else _IN_FULL[outcome]
    return _IN_FULL.get(outcome, outcome or "not known")


def to_do(passage: Passage) -> str:
    """Say what helps a dead letter; empty where it is none or nothing is known."""
    return _TO_DO.get(dead_reason(passage) or "", "")


def is_bad(passage: Passage) -> bool:
    """Tell whether a person should look at it."""
    return dead_reason(passage) is not None or outcome_of(passage) == "undeliverable"


def kept(passage: Passage) -> str:
    """Say what is kept of the message itself; `passage` must have been read with its body."""
    if passage.body is None:
        return "headers alone: the message itself is not kept"
    if is_masked(passage.body):
        return f"the message with masked values ({MARK})"
    return "the message as it passed"


def is_masked(body: bytes) -> bool:
    """Tell whether the mark of masked values stands in a message."""
    return MARK.encode() in body


def in_bytes(size: int) -> str:
    """Write a size to read."""
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1_000:,.0f} kB" if size < 10_000_000 else _mega(size)  # noqa: PLR2004


def attempts(number: int) -> str:
    """Write how often something was tried."""
    return counted(number, "attempt")


def _mega(size: int) -> str:
    return f"{size / 1_000_000:,.0f} MB"


def _shortly(place: str) -> str:
    """Name a place by what tells it from others: the end of a topic; events on a topic go to whoever subscribed."""
    if not place.startswith(_TOPIC):
        return place
    return _SUBSCRIBERS if _EVENTS in place else f"topic {place.rpartition('.')[2]}"
