"""Which messages of the journal are meant: the options that its commands share, and how the journal is asked."""

import functools
import heapq
import inspect
import re
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from gateway.cli._shared import CommandError
from gateway.cli._times import moment

if TYPE_CHECKING:
    from gateway.store.journal import Journal, JournalSearch, Passage

IMPORTED: Final = "imported"
"""The class (`keep`) of messages that came from a file; their outcome begins with it too."""
OF_IMPORTED: Final = f"{IMPORTED}:"
DEAD: Final = "dead:"
_PAGE: Final = 500
_DIRECTIONS: Final = ("in", "out")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is meant: each message for which one of `searches` holds, or one of `handovers` and it went to `system`.

    The journal finds what was made for a system; what was handed on as it came is known by its deliveries alone.
    """

    searches: tuple["JournalSearch", ...]
    handovers: tuple["JournalSearch", ...] = ()
    system: str = ""
    store: str | None = None

    def within(self, since: float | None = None, until: float | None = None) -> "Filters":
        """Give the same with other ends of time, where they are given."""

        def moved(one: "JournalSearch") -> "JournalSearch":
            return replace(
                one, since=one.since if since is None else since, until=one.until if until is None else until
            )

        return replace(self, searches=tuple(map(moved, self.searches)), handovers=tuple(map(moved, self.handovers)))

    def went_there(self, passage: "Passage") -> bool:
        """Tell whether one of its deliveries was to the system."""
        pattern = ".*".join(map(re.escape, self.system.split("*")))
        return any(re.fullmatch(pattern, one.system, re.DOTALL) for one in passage.deliveries)

    @property
    def since(self) -> float | None:
        """From when on, seconds since the epoch."""
        return self.searches[0].since

    @property
    def until(self) -> float | None:
        """Before when, seconds since the epoch."""
        return self.searches[0].until


def _declared(  # noqa: PLR0917 - an option each
    id_: Annotated[str | None, typer.Option("--id", metavar="ID", help="With this MessageID or CorrelationID.")] = None,
    device: Annotated[str | None, typer.Option("--device", help="About this device: an mRID or a name.")] = None,
    noun: Annotated[str | None, typer.Option("--noun", help="With this noun; * stands for any characters.")] = None,
    verb: Annotated[str | None, typer.Option("--verb", help="With this verb.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="From this Header.Source.")] = None,
    system: Annotated[str | None, typer.Option("--system", help="That this system was to get.")] = None,
    event: Annotated[
        str | None, typer.Option("--event", metavar="TYPE", help="With an event of this type, such as '3.26.*'.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(
            "--outcome",
            help="delivered, conversation, duplicate, dead (or dead:REASON), sent, undeliverable, retried, discarded, "
            "edited, replayed.",
        ),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="Of this conversation (its whole id).")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="With these words in the reason given.")] = None,
    direction: Annotated[str | None, typer.Option("--direction", metavar="in|out", help="Only one way.")] = None,
    imported: Annotated[bool, typer.Option("--imported", help="Only what was imported from a file.")] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="At or after: '10m ago', 'today 14:00', 2026-03-17T10:30."),
    ] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before.")] = None,
    store: Annotated[
        str | None, typer.Option("--store", metavar="URL", help="The journal of this store, not of the settings.")
    ] = None,
) -> Filters:
    from gateway.store.journal import JournalSearch  # noqa: PLC0415 - quick start of the other commands

    if direction not in (None, *_DIRECTIONS):
        raise CommandError(f"--direction {direction!r} is none.", "It is in (to the gateway) or out.")
    now = time.time()
    plain = JournalSearch(
        direction=direction,
        source=source,
        verb=verb,
        noun=noun,
        keep=IMPORTED if imported else None,
        event=event,
        device=None if device is None else device.strip(),
        conversation=None if conversation is None else conversation.strip(),
        text=text,
        since=None if since is None else moment(since, "--since", now),
        until=None if until is None else moment(until, "--until", now),
    )
    if plain.since is not None and plain.until is not None and plain.since >= plain.until:
        raise CommandError("--since is not before --until: that is no time at all.", "Exchange them, or leave one out.")
    named: tuple[JournalSearch, ...] = (plain,)
    if id_ is not None:
        named = (replace(plain, message_id=id_.strip()), replace(plain, correlation_id=id_.strip()))
    outcomes: tuple[str | None, ...] = (None,)
    if outcome is not None:
        wanted = f"{DEAD}*" if outcome == DEAD.rstrip(":") else outcome
        outcomes = (wanted, OF_IMPORTED + wanted)
    searches = tuple(replace(one, outcome=word) for one, word in product(named, outcomes))
    if system is None:
        return Filters(searches, store=store)
    made = tuple(replace(one, system=system) for one in searches)
    return Filters(made, tuple(one for one in searches if one.direction != "out"), system, store)


def filtered(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `Filters`, but for some; it gets them as its second argument, after the context."""

    def declare(function: Callable[..., None]) -> Callable[..., None]:
        context, _, *own = inspect.signature(function).parameters.values()
        shared = [one for name, one in inspect.signature(_declared).parameters.items() if name not in without]
        names = {one.name for one in shared}

        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:  # noqa: ANN401 - what typer read, by its declaration
            wanted = _declared(**{name: value for name, value in given.items() if name in names})
            function(ctx, wanted, **{name: value for name, value in given.items() if name not in names})

        # Typer reads the options of a command from these two.
        every = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*shared, *own)]
        run.__signature__ = inspect.Signature([context, *every])  # type: ignore[attr-defined] # as inspect expects it
        run.__annotations__ = {one.name: one.annotation for one in (context, *every)}
        return run

    return declare


async def find(
    journal: "Journal", filters: Filters, limit: int, *, after: int | None = None, oldest_first: bool = False
) -> "list[Passage]":
    """Give the messages that are meant, without bodies, newest first unless told; the next page is after the last."""
    found: dict[int, Passage] = {}
    for search in filters.searches:
        some = await journal.find(search, limit, after=after, oldest_first=oldest_first)
        found |= {one.id: one for one in some}
    for search in filters.handovers:
        last, some = after, []
        while len(some) < limit:
            page = await journal.find(search, _PAGE, after=last, oldest_first=oldest_first)
            some += [one for one in page if filters.went_there(one)]
            if len(page) < _PAGE:
                break
            last = page[-1].id
        found |= {one.id: one for one in some[:limit]}
    return [found[id_] for id_ in sorted(found, reverse=not oldest_first)[:limit]]


async def walk(journal: "Journal", filters: Filters) -> "AsyncIterator[Passage]":
    """Give all messages that are meant, with their bodies, oldest first and each once."""
    walks = [journal.walk(search) for search in filters.searches]
    walks += [_handed_on(journal, search, filters) for search in filters.handovers]
    waiting: list[tuple[int, int, Passage]] = []
    for number, one in enumerate(walks):
        if (first := await anext(one, None)) is not None:
            heapq.heappush(waiting, (first.id, number, first))
    last: int | None = None
    while waiting:
        id_, number, passage = waiting[0]
        following = await anext(walks[number], None)
        if following is None:
            heapq.heappop(waiting)
        else:
            heapq.heapreplace(waiting, (following.id, number, following))
        if id_ != last:
            yield passage
        last = id_


async def _handed_on(journal: "Journal", search: "JournalSearch", filters: Filters) -> "AsyncIterator[Passage]":
    async for passage in journal.walk(search):
        if filters.went_there(passage):
            yield passage
