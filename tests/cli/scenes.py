"""Conversations in a real SQLite store, as the gateway puts them there: fed to the machine, with entries."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from gateway.broker import Delivery
from gateway.codes import Result
from gateway.conversations import (
    Asker,
    Confirmed,
    Conversation,
    EventSeen,
    Input,
    OperationFacts,
    Receiver,
    ReplyArrived,
    ReplyFacts,
    SetFacts,
    Step,
    Target,
    TimerFired,
    Undeliverable,
    from_json,
    open_request,
    open_set,
)
from gateway.message.envelope import ReplyError
from gateway.pipeline.conversing import Conversing
from gateway.pipeline.work import IN, Work
from gateway.store import Entry, Search, Store
from gateway.store.opening import open_store

MORE, LAST, ACK = "0.1", "0.2", "0.3"


class Scene:
    """One conversation that is played into a store, at times given in seconds since it was opened."""

    def __init__(self, store: Store, opened: float, name: str) -> None:
        self._store = store
        self._opened = opened
        self._name = name
        self._numbers = count(1)
        self._bodies = count(1)
        self._now = opened
        self._machine = Conversing(store, now=lambda: self._now, new_id=self._new_id)
        self.id = ""

    def _new_id(self) -> str:
        return f"{hashlib.sha256(self._name.encode()).hexdigest()[:8]}-0000-4000-8000-{next(self._numbers):012}"

    async def ask(
        self, *systems: str, source: str = "CIS", verb: str = "get", noun: str = "MeterReadings",
        limit: float = 60.0, asynchronous: bool = False, **more: Any,
    ) -> None:  # fmt: skip
        asker = self._asker(source, asynchronous=asynchronous)

        def opening() -> Step:
            return open_request(
                asker,
                verb,
                noun,
                [Target(system) for system in systems],
                at=self._opened,
                deadline=self._opened + limit,
                new_id=self._new_id,
                entry=f"{self._name} asked",
                **more,
            )

        await self._open(opening, verb, noun, asker)

    async def execute(
        self, *operations: tuple[int, str, str, str], integrity: bool = True, limit: float = 60.0
    ) -> None:
        """Ask for an OperationSet; each operation is its id, verb, noun and system."""
        asker = self._asker("CIS")
        asked = SetFacts(tuple(OperationFacts(*one[:3]) for one in operations), sequence=True, integrity=integrity)

        def opening() -> Step:
            return open_set(
                asker, asked, [], {one[0]: [Receiver(one[3])] for one in operations},
                at=self._opened, deadline=self._opened + limit, new_id=self._new_id, entry=f"{self._name} asked",
            )  # fmt: skip

        await self._open(opening, "execute", "OperationSet", asker)

    async def ask_again(self, at: float) -> None:
        """The asker sends the same request once more."""
        conversation = await self.now()
        entry = self._entry(
            conversation.asker.source, conversation.verb, conversation.noun, conversation.asker.message_id
        )
        key = (conversation.asker.source, conversation.asker.message_id)
        await self._take(at, Work(Delivery.of_our_own(), entry=entry, opening=_never, key=key))

    async def reply(
        self, at: float, leg: int = 0, result: str = "OK", *codes: str, reason: str = "",
        source: str = "", number: int = 0, fault: bool = False,
    ) -> None:  # fmt: skip
        """A system answers a leg; the same `number` makes the same body again."""
        asked = (await self.now()).legs[leg]
        body = _response(asked.noun, result, codes, reason, number or next(self._bodies))
        payload = result != "FAILED" and ACK not in codes and asked.verb == "get"
        errors = tuple(ReplyError(code, reason=reason or None) for code in codes)
        facts = ReplyFacts(
            Result(result), hashlib.sha256(body).hexdigest(), errors=errors, has_payload=payload, fault=fault
        )
        key = self._new_id()
        entry = self._entry(
            "" if fault else source or asked.system,
            "fault" if fault else "reply",
            asked.noun,
            message_id=None,
            correlation=None if fault else asked.id,
            result=result,
            codes=codes,
            body=body,
            key=key,
        )
        given = ReplyArrived(self._opened + at, asked.id, key, facts)
        await self._take(at, Work(Delivery.of_our_own(), entry=entry, leg=asked.id, given=given))

    async def event(self, at: float, verb: str, noun: str, leg: int = 0) -> None:
        asked = (await self.now()).legs[leg]
        entry = self._entry(asked.system, verb, noun, "event-1", correlation=asked.id)
        await self._take(
            at, Work(Delivery.of_our_own(), entry=entry, leg=asked.id, given=EventSeen(self._opened + at, verb, noun))
        )

    async def undeliverable(self, at: float, leg: int = 0) -> None:
        given = Undeliverable(self._opened + at, (await self.now()).legs[leg].id, "no queue of that name")
        await self._tell(at, given)

    async def time_passes(self, at: float) -> None:
        await self._tell(at, TimerFired(self._opened + at))

    async def confirm(self, at: float) -> None:
        await self._tell(at, Confirmed(self._opened + at, (await self.now()).outbox))

    async def now(self) -> Conversation:
        async with self._store.look() as reader:
            return from_json((await reader.conversations([self.id]))[self.id].document)

    def _asker(self, source: str, *, asynchronous: bool = False) -> Asker:
        return Asker(source, f"{self._name}-m", f"{self._name}-c", "queue:cim.CIS", asynchronous=asynchronous)

    async def _open(self, opening: Any, verb: str, noun: str, asker: Asker) -> None:
        entry = self._entry(asker.source, verb, noun, asker.message_id, correlation=asker.echoed_id, body=b"<asked/>")
        entry = replace(entry, key=f"{self._name} asked")
        work = Work(Delivery.of_our_own(), entry=entry, opening=opening, key=(asker.source, asker.message_id))
        await self._take(0.0, work)
        assert work.result is not None
        self.id = work.result.id

    async def _tell(self, at: float, given: Input) -> None:
        await self._take(at, Work(Delivery.of_our_own(), conversation=self.id, given=given))

    async def _take(self, at: float, work: Work) -> None:
        self._now = self._opened + at
        if work.entry is not None:
            work.entry = replace(work.entry, at=self._now)
        await self._machine.take([work])
        self._now += 0.003

    def _entry(
        self, source: str, verb: str, noun: str, message_id: str | None, *, correlation: str | None = None,
        result: str | None = None, codes: Sequence[str] = (), body: bytes | None = None, key: str | None = None,
    ) -> Entry:  # fmt: skip
        return Entry("", 0.0, IN, source, verb, noun, message_id, correlation, result, tuple(codes), body=body, key=key)


def _response(noun: str, result: str, codes: Sequence[str], reason: str, number: int) -> bytes:
    said = f"<reason>{reason}</reason>" if reason else ""
    errors = "".join(f"<Error><code>{code}</code>{said}</Error>" for code in codes)
    return (
        f'<ResponseMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>reply</Verb><Noun>{noun}</Noun>'
        f"<Comment>{number}</Comment></Header><Reply><Result>{result}</Result>{errors}</Reply></ResponseMessage>"
    ).encode()


def _never() -> Step:
    raise AssertionError("a request that is known must not open a conversation")


class Stage:
    """A store for scenes; `play` runs one to its end."""

    def __init__(self, file: Path) -> None:
        self.url = f"sqlite:///{file}"

    def play(self, name: str, opened: float, plot: Any) -> str:
        """Run `plot(scene)` and give the id of the conversation."""
        return asyncio.run(self._play(name, opened, plot))

    async def _play(self, name: str, opened: float, plot: Any) -> str:
        store = await open_store(self.url)
        try:
            scene = Scene(store, opened, name)
            await plot(scene)
            return scene.id
        finally:
            await store.close()

    def empty(self) -> None:
        """Make a store without conversations."""

        async def opened() -> None:
            store = await open_store(self.url)
            async with store.look() as reader:
                assert await reader.search(Search()) == []
            await store.close()

        asyncio.run(opened())
