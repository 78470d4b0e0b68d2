"""Requests and their replies: each input of a batch is fed to its conversation, in one transaction for all of them.

What a conversation decides is committed before anything is published for it; then it is published, and when it is
confirmed the conversation hears of that. A crash in between leaves it in the conversation's outbox, from where it is
published again, marked as repeated.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from gateway.broker import Delivery
from gateway.conversations import (
    Alarm,
    Answer,
    Confirmed,
    Conversation,
    Effect,
    Fate,
    HandOn,
    Input,
    Outgoing,
    PublishEvent,
    Record,
    RequestAgain,
    Send,
    TimerFired,
    from_json,
    step,
    to_json,
)
from gateway.pipeline.examination import Examined
from gateway.store import Entry, Store, Stored, StoredLeg, StoreUnavailable, Tie, Unit

log = structlog.get_logger(__name__)

IN: Final = "in"
OUT: Final = "out"
_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0
_MOST_DUE: Final = 100

NOT_EXAMINED: Final = Examined(None)
"""What comes from no message."""

Opening = Callable[[], tuple[Conversation, tuple[Effect, ...]]]


@dataclass(slots=True)
class Work:
    """One thing that happened: what it is fed to, what is noted of it, and what follows.

    Exactly one of `opening` (a request), `leg`, `echoed` (source and id of an asker) and `conversation` says to which
    conversation it belongs. `key` is the request's source and MessageID. `ties` are keys by which what follows from a
    request is known; an event that has them needs no `leg`. `result` is empty where it belongs to none.
    """

    delivery: Delivery
    examined: Examined = NOT_EXAMINED
    entry: Entry | None = None
    opening: Opening | None = None
    key: tuple[str, str] | None = None
    ties: tuple[str, ...] = ()
    leg: str = ""
    conversation: str = ""
    given: Input | None = None
    result: Conversation | None = None
    effects: tuple[Effect, ...] = ()


@dataclass(slots=True)
class _Held:
    """A conversation in hand during one transaction; `sent` is the id by which its request is known again."""

    now: Conversation
    stored: Stored | None = None
    sent: str | None = None
    ties: tuple[str, ...] = ()
    changed: bool = False
    entries: list[Entry] = field(default_factory=list)


class Conversing:
    """Feeds conversations from the store, and keeps what is to be told them later: confirms and what was unroutable."""

    def __init__(self, store: Store, *, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._later: list[tuple[str, Input]] = []
        self.waiting = ""
        """Why the store is not there; empty while it is."""

    def confirmed(self, delivery: Delivery) -> None:
        """Hear that everything published for a delivery is on its way."""
        at = self._now()
        self._later += ((conversation, Confirmed(at, (sent,))) for conversation, sent in delivery.sent)

    def tell(self, conversation: str, given: Input) -> None:
        """Feed a conversation with the next transaction."""
        self._later.append((conversation, given))

    async def take(self, works: Sequence[Work]) -> None:
        """Feed each to its conversation and commit; waits, and tries again, while the store is not there."""
        pause = _PAUSE
        while True:
            try:
                await self._commit(list(works))
            except StoreUnavailable as error:
                if not self.waiting:
                    log.warning("store not available, intake pauses", reason=str(error), retry_in=pause)
                self.waiting = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if self.waiting:
                log.info("store takes conversations again")
                self.waiting = ""
            return

    async def due(self) -> list[Work]:
        """Feed the conversations whose time has come, and what is to be told later; give what follows."""
        at = self._now()
        try:
            async with self._store.begin() as unit:
                due = await unit.due(at, _MOST_DUE)
        except StoreUnavailable:
            due = []  # `take` tells of it, and waits
        works = [Work(Delivery.of_our_own(), conversation=one.id, given=TimerFired(at)) for one in due]
        if works or self._later:
            await self.take(works)
        return works

    async def bodies(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give bodies that were kept."""
        wanted = list(keys)
        if not wanted:
            return {}
        async with self._store.look() as reader:
            return await reader.bodies(wanted)

    async def _commit(self, works: list[Work]) -> None:
        told = [Work(Delivery.of_our_own(), conversation=id_, given=given) for id_, given in self._later]
        self._later = []
        try:
            waiting = [*told, *works]
            while waiting:
                async with self._store.begin() as unit:
                    waiting = await self._attempt(unit, waiting)
        except BaseException:
            self._later = [(work.conversation, work.given) for work in told if work.given is not None] + self._later
            raise

    async def _attempt(self, unit: Unit, works: Sequence[Work]) -> list[Work]:
        """Feed all; give those whose conversation another process has changed meanwhile."""
        held, by_key, by_leg, by_tie = await self._load(unit, works)
        for work in works:
            work.result, work.effects = None, ()
            one = self._held(work, held, by_key, by_leg, by_tie)
            if one is not None:
                self._feed(work, one)
        changed = [one for one in held.values() if one.changed]
        new = [one for one in changed if one.stored is None]
        old = [one for one in changed if one.stored is not None]
        ties = [Tie(key, one.now.id) for one in new for key in one.ties]
        refused = await unit.insert(
            [self._row(one) for one in new], [leg for one in new for leg in _legs(one.now)], ties
        )
        refused |= await unit.update([self._row(one) for one in old], [leg for one in old for leg in _legs(one.now)])
        await unit.add_entries([entry for one in held.values() if one.now.id not in refused for entry in one.entries])
        return [work for work in works if work.result is not None and work.result.id in refused]

    async def _load(
        self, unit: Unit, works: Sequence[Work]
    ) -> tuple[dict[str, _Held], dict[tuple[str, str], str], dict[str, str], dict[str, str]]:
        known = await unit.requests({work.key for work in works if work.key is not None})
        of_legs = await unit.conversations_of_legs({work.leg for work in works if work.leg})
        named = await unit.conversations({work.conversation for work in works if work.conversation})
        tied = await unit.by_ties({key for work in works if work.opening is None for key in work.ties})
        held: dict[str, _Held] = {}
        for stored in (*known.values(), *of_legs.values(), *named.values(), *tied.values()):
            if stored.id not in held:
                held[stored.id] = _Held(from_json(stored.document), stored)
        by_key = {key: stored.id for key, stored in known.items()}
        by_leg = {leg: stored.id for leg, stored in of_legs.items()}
        return held, by_key, by_leg, {key: stored.id for key, stored in tied.items()}

    def _held(
        self, work: Work, held: dict[str, _Held], by_key: dict[tuple[str, str], str], by_leg: dict[str, str],
        by_tie: dict[str, str],
    ) -> _Held | None:  # fmt: skip
        """Give the conversation of a work; a request that is new opens one and has its effects then."""
        if work.opening is None:
            named = by_leg.get(work.leg, "") if work.leg else work.conversation
            tied = set() if named else {by_tie[key] for key in work.ties if key in by_tie}
            return held.get(tied.pop() if len(tied) == 1 else named)
        known = None if work.key is None else by_key.get(work.key)
        if known is not None:
            return held[known]
        opened, work.effects = work.opening()
        sent = None if work.key is None else work.key[1]
        one = held[opened.id] = _Held(opened, sent=sent, ties=work.ties, changed=True)
        if work.key is not None:
            by_key[work.key] = opened.id
        return one

    def _feed(self, work: Work, one: _Held) -> None:
        before = one.now
        if work.opening is not None and not work.effects:
            given: Input | None = RequestAgain(self._now(), redelivered=work.delivery.redelivered)
        else:
            given = work.given
        if given is not None:
            one.now, work.effects = step(before, given, self._new_id)
        work.result = one.now
        one.changed = one.changed or one.now is not before
        if work.entry is not None:
            fates = [effect.fate for effect in work.effects if isinstance(effect, Record)]
            again = Fate.DUPLICATE in fates
            note = ", ".join(fates)
            one.entries.append(
                replace(
                    work.entry,
                    conversation_id=one.now.id,
                    note=note or work.entry.note,
                    body=None if again else work.entry.body,
                    key=None if again else work.entry.key,
                )
            )
        for effect in work.effects:
            if isinstance(effect, Alarm):
                log.error("alarm", conversation=one.now.id, text=effect.text)
            elif not isinstance(effect, Record):
                one.entries.append(_said(one.now, effect, self._now()))

    def _row(self, one: _Held) -> Stored:
        now, asker = one.now, one.now.asker
        return Stored(
            id=now.id,
            document=to_json(now),
            version=1 if one.stored is None else one.stored.version,
            kind=now.kind,
            state=now.state,
            final=now.settled,
            source=asker.source,
            message_id=one.sent if one.stored is None else one.stored.message_id,
            echoed_id=asker.echoed_id or None,
            verb=now.verb,
            noun=now.noun,
            opened=now.opened,
            deadline=now.due,
            updated=self._now(),
            alarm=bool(now.alarm),
        )


def outgoing(work: Work) -> list[Outgoing]:
    """Give what is to be published for a work."""
    return [effect for effect in work.effects if not isinstance(effect, Record | Alarm)]


def _said(conversation: Conversation, effect: Outgoing, at: float) -> Entry:
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


def _legs(conversation: Conversation) -> list[StoredLeg]:
    return [StoredLeg(leg.id, conversation.id, leg.system, leg.noun, leg.open) for leg in conversation.legs]
