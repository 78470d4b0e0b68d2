"""A journal full of recorded messages, `cimgate replay` as a process of its own, and what must be true of arrivals."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.broker.partner import Arrival
from gateway.store.journal import Passage
from gateway.store.journal.opening import open_journal
from gateway.store.opening import open_store
from gateway.store.replays.opening import open_replays
from tests.e2e.traffic import Sample

START = time.time() - 3_600
"""When the first recorded message came: the journal of a gateway keeps nothing that is old."""
PERIOD = ("--from", "2h", "--to", "30m")
_AT_ONCE = 1_000


def passage(id_: int, sample: Sample, outcome: str = "delivered", **more: Any) -> Passage:
    """What the journal keeps of a message that came."""
    branch, noun, verb = sample.key.split(".")[1:4]
    kind = "EventMessage" if branch == "EVENTS" else "RequestMessage"
    return Passage(
        id_, "in", source="GEN", kind=kind, verb=verb, noun=noun, message_id=sample.id, correlation_id=sample.id,
        context=sample.key.partition(".")[0], outcome=outcome, routing_key=sample.key, size=len(sample.body),
        body=sample.body, **more,
    )  # fmt: skip


async def record(store: str, samples: Sequence[Sample], spacing: float = 0.0, outcome: str = "delivered") -> None:
    """Fill the journal of a store: each message came so many seconds after the one before."""
    await (await open_store(store)).close()
    journal = await open_journal(store)
    for start in range(0, len(samples), _AT_ONCE):
        await journal.write(
            [
                passage(journal.new_id(START + number * spacing), samples[number], outcome)
                for number in range(start, min(start + _AT_ONCE, len(samples)))
            ]
        )
    await journal.close()


@dataclass
class Replaying:
    """`cimgate replay` with these settings; `arguments` as on the command line."""

    environment: dict[str, str]
    arguments: tuple[str, ...]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> "Replaying":
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "replay", *self.arguments),
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self

    async def ended(self) -> tuple[int, str, str]:
        """Wait for its end; gives exit status, output and errors."""
        assert self.process is not None
        out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()

    async def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.communicate()


def settings(url: str, store: str, **more: str) -> dict[str, str]:
    """The environment of a command that knows a broker and a store."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CIMGATE_")}
    named = {f"CIMGATE_{name.upper()}": value for name, value in more.items()}
    return {**kept, "COLUMNS": "100", "CIMGATE_AMQP_URL": url, "CIMGATE_STORE": store, **named}


async def replay(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Run `cimgate replay` to its end."""
    return await (await Replaying(environment, arguments).start()).ended()


async def report(environment: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run `cimgate replay` to a good end and give its report."""
    status, out, err = await replay(environment, *arguments, "--json")
    assert status == 0, err
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    return told


async def only_replay(store: str) -> str:
    """The id of the only replay that was begun."""
    replays = await open_replays(store)
    [found] = await replays.find()
    await replays.close()
    return found.id


@dataclass
class Judge:
    """Whether each message is there once in effect: by the mark of its replay, its MessageID and its bytes.

    A receiver that leaves out what it has by one of these is right if every further copy is marked and the same.
    """

    copies: Counter[str] = field(default_factory=Counter)
    unmarked: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    marked: int = 0
    _first: dict[str, tuple[str, int]] = field(default_factory=dict)

    def hear(self, arrival: Arrival) -> None:
        """Take what arrived, in its order."""
        id_ = str(arrival.headers["cim-message-id"])
        told = (str(arrival.headers["cim-replay"]), hash(arrival.body))
        marked = arrival.headers.get("cim-redelivered") is True
        self.marked += marked
        if self.copies[id_]:
            if not marked:
                self.unmarked.append(id_)
            if self._first[id_] != told:
                self.different.append(id_)
        self._first.setdefault(id_, told)
        self.copies[id_] += 1

    @property
    def further(self) -> int:
        """How many copies came of what was there."""
        return self.copies.total() - len(self.copies)

    def faults(self, wanted: Collection[str]) -> list[str]:
        """Say what is wrong, where these MessageIDs and no others were to come, each from its own recorded message."""
        ids, places = set(wanted), {place for place, _ in self._first.values()}
        found = {
            "lost": ids - set(self.copies),
            "invented": set(self.copies) - ids,
            "came again without the mark": set(self.unmarked),
            "came again as something else": set(self.different),
        }
        said = [f"{len(ids):,} {what}: {sorted(ids)[:3]}" for what, ids in found.items() if ids]
        if len(places) != len(self.copies):
            said.append(f"{len(self.copies):,} messages, but {len(places):,} marks")
        return said


def once_in_effect(samples: Sequence[Sample], arrivals: Sequence[Arrival]) -> Counter[str]:
    """Hold that each message is there once in effect; gives how often each came."""
    judge = Judge()
    for arrival in arrivals:
        judge.hear(arrival)
    assert not judge.faults([sample.id for sample in samples])
    return judge.copies
