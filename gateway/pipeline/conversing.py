"""Requests and their replies: each input of a batch is fed to its conversation, in one transaction for all of them.

What a conversation decides is committed before anything is published for it; then it is published, and when it is
confirmed the conversation hears of that. A crash in between leaves it in the conversation's outbox, from where it is
published again, marked as repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, NamedTuple, TypeVar

import structlog

from gateway.broker import Delivery
from gateway.conversations import (
    Alarm,
    Confirmed,
    Conversation,
    Fate,
    Input,
    Kind,
    Record,
    ReplyArrived,
    RequestAgain,
    TimerFired,
    from_json,
    step,
    to_json,
)
from gateway.crashpoints import crash_point
from gateway.message.verbs import Verb
from gateway.pipeline.work import Work, entry_of, outgoing
from gateway.store import Entry, Key, Store, Stored, StoredLeg, StoreUnavailable, Tie, Unit

T = TypeVar("T")

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0
_MOST_DUE: Final = 100
_RECENT: Final = 300.0
"""Seconds after its end for which a conversation is still taken to be that of a marked request without any id."""


@dataclass(slots=True)
class _Held:
    """A conversation in hand during one transaction; `sent` is the id by which its request is known again."""

    now: Conversation
    stored: Stored | None = None
    sent: str | None = None
    ties: tuple[str, ...] = ()
    changed: bool = False
    entries: list[Entry] = field(default_factory=list)


class _Ids(NamedTuple):
    """The conversations of requests, by source and MessageID, of legs, of ties, and of gets, by source and any id.

    `alone` are the legs that alone wait for a reply, by system and noun.
    """

    by_key: dict[Key, str]
    by_leg: dict[str, str]
    by_tie: dict[str, str]
    by_name: dict[Key, str]
    alone: dict[Key, str]


class Conversing:
    """Feeds conversations from the store, and keeps what is to be told them later: confirms and what was unroutable."""

    def __init__(self, store: Store, *, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._later: list[tuple[str, Input]] = []
        self._passed_over: set[str] = set()
        self.waiting = ""
        """Why the store is not there; empty while it is."""

    def confirmed(self, delivery: Delivery) -> None:
        """Hear that everything published for a delivery is on its way."""
        crash_point("confirmed")
        at = self._now()
        self._later += ((conversation, Confirmed(at, (sent,))) for conversation, sent in delivery.sent)

    def tell(self, conversation: str, given: Input) -> None:
        """Feed a conversation with the next transaction."""
        self._later.append((conversation, given))

    async def take(self, works: Sequence[Work]) -> list[Work]:
        """Feed each to its conversation and commit; give what was to be told later, which has effects too.

        Waits, and tries again, while the store is not there. One that cannot be fed has its `failure`, and takes no
        other along.
        """
        told = [Work(Delivery.of_our_own(), conversation=id_, given=given) for id_, given in self._later]
        self._later = []
        try:
            await self._commit([*told, *works])
        except BaseException:
            self._later = [(work.conversation, work.given) for work in told if work.given is not None] + self._later
            raise
        self._pass_over(told)
        return told

    async def due(self) -> list[Work]:
        """Feed the conversations whose time has come, and what is to be told later; give both."""
        at = self._now()
        try:
            async with self._store.begin() as unit:
                due = await unit.due(at, _MOST_DUE + len(self._passed_over))
        except StoreUnavailable:
            due = []  # `take` tells of it, and waits
        works = [
            Work(Delivery.of_our_own(), conversation=one.id, given=TimerFired(at))
            for one in due
            if one.id not in self._passed_over
        ]
        if not works and not self._later:
            return []
        crash_point("due")
        told = await self.take(works)
        self._pass_over(works)
        return [*told, *works]

    async def bodies(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Give bodies that were kept; waits while the store is not there."""
        wanted = list(keys)

        async def read() -> dict[str, bytes]:
            async with self._store.look() as reader:
                return await reader.bodies(wanted)

        return await self._patiently(read) if wanted else {}

    async def _patiently(self, use: Callable[[], Awaitable[T]]) -> T:
        """Use the store, again and again while it is not there."""
        pause = _PAUSE
        while True:
            try:
                result = await use()
            except StoreUnavailable as error:
                if str(error) != self.waiting:  # a broken connection says less than the attempt to open another
                    log.warning("store not available, intake pauses", reason=str(error), retry_in=pause)
                self.waiting = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if self.waiting:
                log.info("store takes conversations again")
                self.waiting = ""
            return result

    def _pass_over(self, works: Iterable[Work]) -> None:
        """Leave conversations alone that cannot be fed: they would fall due for ever. Another release may know them."""
        for work in works:
            if work.failure is not None and work.conversation not in self._passed_over:
                self._passed_over.add(work.conversation)
                log.error(
                    "conversation cannot be worked on, it is left as it is",
                    conversation=work.conversation, reason=f"{type(work.failure).__name__}: {work.failure}",
                )  # fmt: skip

    async def _commit(self, works: Sequence[Work]) -> None:
        """Feed all in one transaction; each in one of its own where the store does not take them together."""
        waiting = works
        while waiting:
            try:
                waiting = await self._patiently(partial(self._transact, waiting))
            except Exception as error:  # noqa: BLE001 - told where the work is from
                if len(waiting) == 1:
                    waiting[0].result, waiting[0].effects, waiting[0].failure = None, (), error
                    return
                for work in waiting:
                    await self._commit([work])
                return

    async def _transact(self, works: Sequence[Work]) -> list[Work]:
        """Feed all; give those whose conversation another process has changed meanwhile."""
        try:
            ids = await self._find(works)
            async with self._store.begin() as unit:
                refused = await self._attempt(unit, works, ids)
                crash_point("commit")
        except Exception:
            for work in works:
                work.again = True
            raise
        crash_point("committed")
        return refused

    async def _find(self, works: Sequence[Work]) -> _Ids:
        """Find by key without holding anything, so that what is held is held in one go, in one order.

        Two processes that hold some and wait for others would stop each other. A request that another process takes
        at this moment is refused when it is inserted.
        """
        keys = {work.key for work in works if work.key is not None}
        legs = {work.leg for work in works if work.leg}
        ties = {tie for work in works if work.opening is None for tie in work.ties}
        ties |= {work.fingerprint for work in works if work.fingerprint and work.delivery.redelivered}
        names = {name for work in works for name in work.names}
        waited_for = {work.alone for work in works if work.alone is not None}
        if not keys and not legs and not ties and not names and not waited_for:
            return _Ids({}, {}, {}, {}, {})
        async with self._store.look() as reader:
            known, of_legs = await reader.requests(keys), await reader.conversations_of_legs(legs)
            tied = await reader.by_ties(ties)
            named = await reader.requests(names) | await reader.by_echoed(names)
            waiting = {one: await reader.open_legs(*one) for one in waited_for}
        only = {one: found[0] for one, found in waiting.items() if len(found) == 1}
        return _Ids(
            {key: one.id for key, one in known.items()},
            {leg: one.id for leg, one in of_legs.items()} | {leg.id: leg.conversation_id for leg in only.values()},
            {tie: one.id for tie, one in tied.items()},
            {name: one.id for name, one in named.items() if one.verb == Verb.GET},
            {one: leg.id for one, leg in only.items()},
        )

    async def _attempt(self, unit: Unit, works: Sequence[Work], ids: _Ids) -> list[Work]:
        named = {work.conversation for work in works if work.conversation}
        opened = {work.opened[0].id for work in works if work.opened is not None}
        stored = await unit.conversations(
            {*ids.by_key.values(), *ids.by_leg.values(), *ids.by_tie.values(), *ids.by_name.values(), *named, *opened}
        )
        held: dict[str, _Held] = {}
        for work in works:
            work.result, work.effects, work.failure = None, (), None
            try:
                one = self._held(work, stored, held, ids)
                if one is not None:
                    self._feed(work, one)
            except Exception as error:  # noqa: BLE001 - told where the work is from
                work.result, work.effects, work.failure = None, (), error
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

    def _held(self, work: Work, stored: Mapping[str, Stored], held: dict[str, _Held], ids: _Ids) -> _Held | None:
        """Give the conversation of a work; a request that is new opens one and has its effects then.

        Raises `BadDocument` where the stored one cannot be read.
        """
        if not work.is_request:
            if work.cancels:
                return self._named(work, stored, held, ids)
            leg = work.leg
            if work.alone is not None and leg not in ids.by_leg:
                leg = ids.alone.get(work.alone, "")
            if isinstance(work.given, ReplyArrived) and leg != work.given.leg:
                work.given = replace(work.given, leg=leg)
            named = ids.by_leg.get(leg, "") if leg else work.conversation
            tied = set() if named else {ids.by_tie[tie] for tie in work.ties if tie in ids.by_tie}
            return _at_hand(tied.pop() if len(tied) == 1 else named, stored, held)
        known = None if work.key is None else ids.by_key.get(work.key)
        if known is None and work.opened is not None:
            known = work.opened[0].id  # where it is stored, it was committed after all
        if known is not None and (one := _at_hand(known, stored, held)) is not None:
            return one
        if (one := self._by_bytes(work, stored, held, ids)) is not None:
            return one
        if work.opened is None:
            get = self._named(work, stored, held, ids)
            work.opened = work.open(None if get is None else get.now)
        opened, work.effects = work.opened
        sent = None if work.key is None else work.key[1]
        ties = (*work.ties, work.fingerprint) if work.fingerprint else work.ties
        one = held[opened.id] = _Held(opened, sent=sent, ties=ties, changed=True)
        if work.key is not None:
            ids.by_key[work.key] = opened.id
        return one

    def _by_bytes(self, work: Work, stored: Mapping[str, Stored], held: dict[str, _Held], ids: _Ids) -> _Held | None:
        """Give the conversation of a request without any id, if the broker says that it comes again.

        That is the last one that the same bytes have opened; without the mark, or later, they are another request.
        """
        marked = work.fingerprint if work.delivery.redelivered else ""
        one = _at_hand(ids.by_tie.get(marked, ""), stored, held)
        over = one is not None and one.now.final and one.stored and self._now() - one.stored.updated > _RECENT
        return None if over else one

    def _named(self, work: Work, stored: Mapping[str, Stored], held: dict[str, _Held], ids: _Ids) -> _Held | None:
        """Give the get that a cancel names, by the first of its ids that is known."""
        found = next((ids.by_name[name] for name in work.names if name in ids.by_name), "")
        return _at_hand(found, stored, held)

    def _feed(self, work: Work, one: _Held) -> None:
        before = one.now
        if work.is_request and not work.effects:
            given: Input | None = RequestAgain(self._now(), redelivered=work.delivery.redelivered)
        else:
            given = work.given
        if given is not None:
            one.now, work.effects = step(before, given, self._new_id)
            if work.again and one.now is before and not isinstance(given, Confirmed) and not outgoing(work):
                work.effects = (*before.unconfirmed(), *work.effects)  # it was committed, but nothing followed
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
            elif isinstance(effect, Record) and effect.fate is Fate.WARNED:
                log.warning("accepted with a warning", conversation=one.now.id, text=effect.text)
            elif not isinstance(effect, Record):
                one.entries.append(entry_of(one.now, effect, self._now()))

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
            # The cancel of a get has the get's CorrelationID: by that the get is to be found, not its cancel.
            echoed_id=None if now.kind is Kind.CANCEL else asker.echoed_id or None,
            verb=now.verb,
            noun=now.noun,
            opened=now.opened,
            deadline=now.due,
            updated=self._now(),
            alarm=bool(now.alarm),
        )


def _at_hand(conversation: str, stored: Mapping[str, Stored], held: dict[str, _Held]) -> _Held | None:
    """Give a conversation that is in hand, or take it in hand as it is stored."""
    if conversation not in held and conversation in stored:
        held[conversation] = _Held(from_json(stored[conversation].document), stored[conversation])
    return held.get(conversation)


def _legs(conversation: Conversation) -> list[StoredLeg]:
    return [StoredLeg(leg.id, conversation.id, leg.system, leg.noun, leg.open) for leg in conversation.legs]
