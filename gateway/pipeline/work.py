"""What happens to conversations, as the pipeline hands it over: one thing each, and what is noted of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from gateway.broker import Delivery
from gateway.conversations import (
    Alarm,
    Answer,
    Conversation,
    Effect,
    HandOn,
    Input,
    Outgoing,
    PublishEvent,
    Record,
    Send,
    Step,
)
from gateway.pipeline.examination import Examined
from gateway.store import Entry, Key

IN: Final = "in"
OUT: Final = "out"

NOT_EXAMINED: Final = Examined(None)
"""What comes from no message."""

Opening = Callable[[], Step]


@dataclass(slots=True)
class Work:
    """One thing that happened: what it is fed to, what is noted of it, and what follows.

    Exactly one of `opening` (a request), `leg`, `alone`, `conversation` and `cancels` says to which conversation it
    belongs. `key` is the request's source and MessageID; `fingerprint` is all there is to know one by that has none.
    `ties` are keys by which what follows from a request is known; an event that has them needs no `leg`. `alone` are
    system and noun of a reply without any id: it belongs to the only leg that waits for such a reply.

    A cancel may name a get, by one of its `names`: then `cancelling` opens its conversation, from the get, in the place
    of `opening`; without an `opening` it can be nothing else. `cancels` marks the work by which that get hears of it.

    `result` is empty where it belongs to none, and where it cannot be fed to it: `failure` says why then. `again`: what
    it means may have been committed before.
    """

    delivery: Delivery
    examined: Examined = NOT_EXAMINED
    entry: Entry | None = None
    opening: Opening | None = None
    key: Key | None = None
    fingerprint: str = ""
    ties: tuple[str, ...] = ()
    leg: str = ""
    alone: Key | None = None
    conversation: str = ""
    names: tuple[Key, ...] = ()
    cancelling: Callable[[Conversation | None], Step] | None = None
    cancels: bool = False
    given: Input | None = None
    result: Conversation | None = None
    effects: tuple[Effect, ...] = ()
    failure: Exception | None = None
    again: bool = False
    opened: Step | None = None

    @property
    def is_request(self) -> bool:
        """Whether it opens a conversation."""
        return self.opening is not None or self.cancelling is not None

    def open(self, get: Conversation | None) -> Step:
        """Open the conversation of a request; `get` is the one that it names, where it may cancel one."""
        if self.cancelling is not None and (get is not None or self.opening is None):
            return self.cancelling(get)
        if self.opening is None:
            raise LookupError("It is no request.")
        return self.opening()


def outgoing(work: Work) -> list[Outgoing]:
    """Give what is to be published for a work."""
    return [effect for effect in work.effects if not isinstance(effect, Record | Alarm)]


def entry_of(conversation: Conversation, effect: Outgoing, at: float) -> Entry:
    """Note what is published, without its body: that can be made again from what came in."""
    asker, note = conversation.asker, "again" if effect.repeated else ""
    to_asker = Entry(conversation.id, at, OUT, asker.source, "reply", conversation.noun, effect.id, note=note)
    match effect:
        case Send():
            leg = conversation.leg(effect.id)
            system = leg.system if leg else ""
            return Entry(
                conversation.id, at, OUT, system, conversation.verb, conversation.noun, effect.id, effect.id, note=note
            )
        case HandOn():
            said = (effect.code,) if effect.code else ()
            return replace(to_asker, correlation_id=asker.echoed_id, result=effect.result, codes=said)
        case Answer():
            codes = tuple(error.code for error in effect.errors)
            return replace(to_asker, correlation_id=asker.echoed_id, result=effect.result, codes=codes)
        case PublishEvent():
            return replace(to_asker, system="", verb=effect.verb, correlation_id=asker.echoed_id)
