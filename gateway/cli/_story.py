"""The story of a conversation: who said what to whom and when, read from its state and its entries. Pure.

Offsets and latencies are in seconds: offsets since the conversation was opened, latencies since the request went out
that a reply answers.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gateway.conversations import Conversation, Fate, HandOn, Leg, Role
from gateway.store import Entry

NOTE: Final = "note"
"""The direction of an entry that tells what a person did."""

_IN: Final = "in"
_ASKER: Final = 0
_GATEWAY: Final = 1
_AGAIN: Final = "again"
_FAULT: Final = "fault"
_FAULT_MESSAGE: Final = "FaultMessage"
_SENT_AGAIN: Final = "sent again, marked as repeated"


class Tone(StrEnum):
    """How a message is to be seen."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Lifeline:
    """One that takes part; `role` is asker, gateway, system or subscribers."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message from a lifeline to another (their numbers). `after`: how long after the request that it answers.

    `notes` tell what became of it, in words.
    """

    offset: float
    sender: int
    receiver: int
    what: str
    result: str = ""
    codes: tuple[str, ...] = ()
    after: float | None = None
    notes: tuple[str, ...] = ()
    tone: Tone = Tone.PLAIN
    message_id: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time that no message marks: the deadline, or what a person did."""

    offset: float
    text: str
    tone: Tone = Tone.DOUBTFUL


@dataclass(frozen=True, slots=True)
class Story:
    """A conversation as it is told: its lifelines from left to right, and what happened in the order of time."""

    lifelines: tuple[Lifeline, ...]
    happenings: tuple[Said | Moment, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The reply codes in it, each once, in the order of time."""
        said = (one for one in self.happenings if isinstance(one, Said))
        return tuple(dict.fromkeys(code for one in said for code in one.codes))


_FATES: Final = {
    Fate.ACKNOWLEDGED.value: "acknowledgement, not the answer",
    Fate.KEPT.value: "kept for the answer",
    Fate.LATE.value: "late: not handed on",
    Fate.DUPLICATE.value: "duplicate: not handed on",
    Fate.CONSEQUENT.value: "consequent event",
    Fate.STRAY.value: "stray: it answers no request of this conversation",
    Fate.WARNED.value: "not the recommended pattern",
}
_SWALLOWED: Final = frozenset({Fate.LATE.value, Fate.DUPLICATE.value, Fate.STRAY.value})
_PURPOSES: Final = {Role.READ: "reads the state before operation", Role.UNDO: "undoes operation"}
_TONES: Final = {"OK": Tone.GOOD, "PARTIAL": Tone.DOUBTFUL, "FAILED": Tone.BAD}


def story_of(conversation: Conversation, entries: Sequence[Entry], now: float) -> Story:
    """Tell a conversation; `entries` in the order of time, `now` in seconds since the epoch."""
    teller = _Teller(conversation, entries)
    happenings = [*teller.told(), *_deadline(conversation, entries, now)]
    happenings.sort(key=lambda one: one.offset)
    return Story(tuple(teller.lifelines), tuple(happenings))


def last_word(conversation: Conversation, entries: Sequence[Entry]) -> float | None:
    """Give when the asker was told the last (seconds since the epoch); None where the conversation has not ended."""
    if not conversation.final or not conversation.answers:
        return None
    last = conversation.answers[-1].id
    return next((entry.at for entry in entries if entry.message_id == last and entry.direction != _IN), None)


def _deadline(conversation: Conversation, entries: Sequence[Entry], now: float) -> Iterator[Moment]:
    """Give the deadline where something waited for it, or something came after it."""
    latest = max((entry.at for entry in entries), default=conversation.opened)
    reached = conversation.deadline <= (latest if conversation.final else now)
    if reached and conversation.legs:
        yield Moment(conversation.deadline - conversation.opened, "deadline")


class _Teller:
    """Gives each entry its place between the lifelines."""

    def __init__(self, conversation: Conversation, entries: Sequence[Entry]) -> None:
        self._conversation = conversation
        self._entries = entries
        self._last_of = {entry.message_id: number for number, entry in enumerate(entries)}
        self._kept = {entry.key: entry for entry in entries if entry.key is not None}
        self._answers = {answer.id: answer for answer in conversation.answers}
        self._sent: dict[str, float] = {}
        self._asked = False
        asker = conversation.asker.source or "(no Source)"
        if asker in {leg.system for leg in conversation.legs}:
            asker = f"{asker} asks"
        self.lifelines = [Lifeline(asker, "asker"), Lifeline("cimgate", "gateway")]
        for leg in conversation.legs:
            self._system(leg.system)

    def told(self) -> Iterator[Said | Moment]:
        """Give what happened, an entry each."""
        for number, entry in enumerate(self._entries):
            offset = entry.at - self._conversation.opened
            if entry.direction == NOTE:
                yield Moment(offset, entry.note, Tone.PLAIN)
                continue
            what = _FAULT_MESSAGE if entry.verb == _FAULT else f"{entry.verb}({entry.noun})"
            said = Said(
                offset, _ASKER, _GATEWAY, what, entry.result or "", entry.codes,
                message_id=entry.message_id or "", correlation_id=entry.correlation_id or "",
            )  # fmt: skip
            yield self._came(entry, said) if entry.direction == _IN else self._went(entry, said, number)

    def _came(self, entry: Entry, said: Said) -> Said:
        fates = [fate for fate in entry.note.split(", ") if fate]
        # In a set that the gateway carries out nothing is handed on before the end: that need not be said each time.
        told = (fate for fate in fates if self._conversation.plan is None or fate != Fate.KEPT)
        notes = tuple(_FATES.get(fate, fate) for fate in told)
        leg = self._leg_of(entry)
        if leg is None and entry.result is None and entry.verb == self._conversation.verb:
            again, self._asked = self._asked, True
            return replace(said, notes=("the request again: not carried out twice",) if again else notes)
        if leg is not None and entry.system and entry.system != leg.system:
            notes = (f"its Source is {entry.system}", *notes)
        tone = _TONES.get(said.result, Tone.PLAIN)
        if Fate.ACKNOWLEDGED.value in fates:
            tone = Tone.PLAIN
        elif not _SWALLOWED.isdisjoint(fates):
            tone = Tone.FAINT
        sent = self._sent.get(leg.id) if leg is not None and entry.result is not None else None
        return replace(
            said,
            sender=self._system(leg.system if leg else entry.system or "?"),
            receiver=_GATEWAY,
            after=None if sent is None else entry.at - sent,
            notes=notes,
            tone=tone,
        )

    def _went(self, entry: Entry, said: Said, number: int) -> Said:
        notes = [_SENT_AGAIN] if entry.note == _AGAIN else [entry.note] if entry.note else []
        if said.message_id in self._conversation.outbox and self._last_of[said.message_id] == number:
            notes.append("not confirmed by the broker yet")
        leg = self._conversation.leg(said.message_id)
        if leg is not None:
            self._sent.setdefault(leg.id, entry.at)
            if leg.role in _PURPOSES:
                notes.insert(0, f"{_PURPOSES[leg.role]} {leg.operation_id}")
            what = f"{leg.verb}({leg.noun})"
            return replace(said, sender=_GATEWAY, receiver=self._system(leg.system), what=what, notes=tuple(notes))
        event = self._conversation.event
        if event is not None and said.message_id == event.id:
            return replace(said, sender=_GATEWAY, receiver=self._place("subscribers", "events"), notes=tuple(notes))
        said = self._as_handed_on(said)
        tone = _TONES.get(said.result, Tone.PLAIN)
        return replace(said, sender=_GATEWAY, receiver=_ASKER, notes=tuple(notes), tone=tone)

    def _as_handed_on(self, said: Said) -> Said:
        """Give Result and codes of a reply that was handed on as it came, or with codes of the gateway's own in it."""
        answer = self._answers.get(said.message_id)
        if not isinstance(answer, HandOn):
            return said
        origin = self._kept.get(answer.entry)
        codes = said.codes
        if origin is not None:
            own = (code for code in origin.codes if answer.result is None or not code.startswith("0."))
            codes = (*codes, *own)
        codes = tuple(dict.fromkeys((*codes, *(error.code for error in answer.errors))))
        result = said.result or (origin.result if origin is not None else None) or ""
        return replace(said, result=result, codes=codes)

    def _leg_of(self, entry: Entry) -> Leg | None:
        """Find the leg that a message is about: by its ids; a FaultMessage has none, but its body was counted."""
        for named in (entry.correlation_id, entry.message_id):
            if named and (leg := self._conversation.leg(named.strip())) is not None:
                return leg
        if entry.result is None or entry.body is None:
            return None
        digest = hashlib.sha256(entry.body).hexdigest()
        return next((leg for leg in self._conversation.legs if digest in leg.seen), None)

    def _system(self, name: str) -> int:
        return self._place("system", name)

    def _place(self, role: str, name: str) -> int:
        lifeline = Lifeline(name, role)
        if lifeline not in self.lifelines:
            self.lifelines.append(lifeline)
        return self.lifelines.index(lifeline)
