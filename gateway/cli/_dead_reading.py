"""Reading the dead letters of the broker, with what a person must know of it meanwhile."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gateway.broker.dead_queue import DeadQueue, LettersInUse
from gateway.broker.letter import Letter
from gateway.cli._dead_choice import Choice, Groups
from gateway.cli._shared import CommandError, ExitCode, complain, err
from gateway.pipeline.retrial import NowhereToGo, destination, place_of

if TYPE_CHECKING:
    from gateway.settings import Settings

_LIMITED_FROM: Final = (4, 0)
"""The release from which RabbitMQ deletes what was handed out too often, unless a policy says otherwise."""
_LIMITED_UNTIL: Final = (4, 3)
_LIMIT: Final = 20
_MANY: Final = 8
_WORTH_A_BAR: Final = 2_000


@asynccontextmanager
async def dead_letters(settings: "Settings") -> AsyncIterator[DeadQueue]:
    """Hold the dead letters; whoever else wants them waits. What is not removed goes back at the end.

    Raises `CommandError` where another command does not let go of them.
    """
    from gateway.wiring import access  # noqa: PLC0415 - heavy

    try:
        queue = await DeadQueue.open(access(settings), waiting=_say_waiting)
    except LettersInUse as error:
        raise CommandError(str(error), code=ExitCode.BROKER) from error
    async with queue:
        if readers := await queue.readers():
            complain(
                f"{readers} other program(s) take letters from cim.dead: what they hold cannot be seen here.",
                "rabbitmqctl list_consumers tells which.",
            )
        yield queue


def _say_waiting() -> None:
    err.print("Another operator's command has the dead letters in hand; waiting for it.")


async def read(queue: DeadQueue, doing: str = "reading") -> AsyncGenerator[list[Letter], None]:
    """Give the letters in pages; shows how far it is, where there are many and a person looks on."""
    bar = Progress(
        TextColumn(f"{doing} dead letters"), BarColumn(), MofNCompleteColumn(), console=err, transient=True,
        disable=not err.is_terminal or queue.total < _WORTH_A_BAR,
    )  # fmt: skip
    most = 0
    try:
        with bar:
            task = bar.add_task("", total=queue.total)
            async for page in queue.pages():
                most = max(most, *(letter.looks for letter in page))
                bar.update(task, completed=page[-1].position, total=queue.total)
                yield page
    finally:
        _warn_of_limit(queue, most)


def _warn_of_limit(queue: DeadQueue, looks: int) -> None:
    if _LIMITED_FROM <= queue.version < _LIMITED_UNTIL and _MANY <= looks <= _LIMIT:
        complain(
            f"Some dead letters have been read {looks} times. Without a policy this RabbitMQ deletes a message that "
            f"was handed out more than {_LIMIT} times.",
            "See to it that the policy cim-never-drop is in force before the next look: rabbitmqctl list_policies, "
            "deploy/rabbitmq-definitions.json.",
        )


async def listed(settings: "Settings", choice: Choice, limit: int) -> tuple[Groups, list[Letter], int]:
    """Count the letters of a choice; gives the latest of them too, and how many letters there are in all."""
    groups, latest, total = Groups(), deque[Letter](maxlen=limit), 0
    async with dead_letters(settings) as queue:
        async for page in read(queue):
            total += len(page)
            for letter in page:
                if choice.takes(letter):
                    groups.add(letter)
                    latest.appendleft(letter)
    return groups, list(latest), total


async def find(settings: "Settings", choice: Choice, most: int) -> list[Letter]:
    """Give the first letters of a choice."""
    found: list[Letter] = []
    async with dead_letters(settings) as queue, aclosing(read(queue)) as pages:
        async for page in pages:
            found += [letter for letter in page if choice.takes(letter)]
            if len(found) >= most:
                break
    return found[:most]


@dataclass(slots=True)
class Chosen:
    """What a choice means now: the ids of its letters, counted by cause and by where each would go.

    `since` is when the first was written, `named` which of the given ids were found.
    """

    groups: Groups = field(default_factory=Groups)
    ids: set[str] = field(default_factory=set)
    since: float = 0.0
    places: dict[str, int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)


async def choose(settings: "Settings", choice: Choice, key: str | None) -> Chosen:
    """Look which letters are meant. `key` replaces the routing keys they came with; None where they go nowhere."""
    chosen = Chosen()
    async with dead_letters(settings) as queue:
        async for page in read(queue):
            for letter in filter(choice.takes, page):
                chosen.named.add(choice.named(letter) or "")
                chosen.groups.add(letter)
                chosen.ids.add(letter.id)
                chosen.since = min(chosen.since or letter.written, letter.written)
                if key is not None:
                    place = _place(letter, key)
                    chosen.places[place] = chosen.places.get(place, 0) + 1
    return chosen


def _place(letter: Letter, key: str) -> str:
    try:
        return f"would go to {place_of(destination(letter, key=key))}"
    except NowhereToGo as error:
        return f"would stay: {error}"
