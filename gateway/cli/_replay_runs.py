"""Begins replays, takes them up again, and runs them to their end."""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from gateway.cli._journal_words import REPLAYED
from gateway.cli._journals import opened_journal
from gateway.cli._operator import login_name
from gateway.cli._replay_aims import Aim, aim_of, guard, is_file
from gateway.cli._replay_options import pace_of
from gateway.cli._shared import CommandError, ExitCode
from gateway.cli._stores import existing_store

if TYPE_CHECKING:
    from gateway.cli._replay_options import Options
    from gateway.player.documents import Plan, Progress
    from gateway.player.filing import Filer
    from gateway.player.player import Player, Reach
    from gateway.player.sources import Source
    from gateway.replay import Pace, Planner, Selection
    from gateway.settings import Settings
    from gateway.store.journal import Journal, JournalSearch
    from gateway.store.replays import Replays, StoredReplay

T = TypeVar("T")
Watch: TypeAlias = "Callable[[Player | Filer], AbstractContextManager[Callable[[], None]]]"

_STORE_PATIENCE: Final = 60.0
_SWITCH: Final = 0.0005


@dataclass(frozen=True, slots=True)
class Begun:
    """A replay that is ready to run."""

    id: str
    plan: "Plan"
    progress: "Progress"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the past and of replays."""

    journal: "Journal"
    replays: "Replays"


@asynccontextmanager
async def kept(settings: "Settings", *, make: bool) -> AsyncIterator[Kept]:
    """Open the store of the settings; `make` lets it be made where it is not there."""
    from gateway.store.replays.opening import open_replays  # noqa: PLC0415 - heavy

    url = settings.store.get_secret_value() if make else existing_store(settings)
    async with opened_journal(settings, make=make) as journal:
        replays = await open_replays(url)
        try:
            yield Kept(journal, replays)
        finally:
            await replays.close()


async def planned(settings: "Settings", journal: "Journal", options: "Options", now: float) -> Begun:
    """Plan a new replay. Raises `CommandError` where nothing is found, or what is asked for cannot be."""
    from gateway.player.documents import Plan, Progress  # noqa: PLC0415 - heavy
    from gateway.player.sources import FileSource, JournalSource  # noqa: PLC0415 - heavy
    from gateway.replay import Changes, Selection  # noqa: PLC0415 - heavy

    search = options.search(now)
    selection = Selection(
        incoming=options.direction != "out",
        outgoing=options.direction != "in",
        dead=options.dead,
        answers=options.replies or is_file(options.target) or options.target.startswith(("queue:", "topic:")),
        replayed=options.replayed or options.file is not None,
        imported=options.imported or options.file is not None,
    )
    fingerprint, records = "", 0
    if options.file is not None:
        fingerprint, records = _surveyed(options.file, search)
        source: Source = FileSource(options.file, search, records)
    else:
        source = JournalSource(journal, search)
    seen = await _looked_through(source, selection, pace_of(options.speed, options.rate))
    if not seen.total:
        raise CommandError(
            "Nothing is found that could be replayed.",
            "`cimgate journal list` shows what passed. Dead letters, answers, what went out, what was imported and "
            "what replays have sent are replayed only if asked for: --dead, --replies, --direction both, --imported, "
            "--replayed.",
            ExitCode.NOT_FINE,
        )
    id_ = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"
    changes = Changes(
        id_,
        _context(options, settings),
        round(now - seen.first) if options.shifted else 0,
        options.new_ids,
        options.reply_to,
    )
    plan = Plan(
        target=options.target,
        changes=changes,
        selection=selection,
        search=search,
        file="" if options.file is None else str(options.file.resolve()),
        fingerprint=fingerprint,
        records=records,
        speed=options.speed,
        rate=options.rate,
        found=seen.found,
        total=seen.total,
        last=seen.last,
        seconds=seen.seconds,
        production=options.yes_production,
    )
    return Begun(id_, plan, Progress())


async def begin(kept_: Kept, begun: Begun, note: str, told: str) -> Begun:
    """Keep a new replay, and tell the journal who began it."""
    from gateway.player.documents import plan_to_json, progress_to_json  # noqa: PLC0415 - heavy
    from gateway.store.journal import Passage  # noqa: PLC0415 - heavy
    from gateway.store.replays import ReplayState, StoredReplay  # noqa: PLC0415 - heavy

    now, owner = time.time(), secrets.token_hex(8)
    begun.progress.runs = 1
    await kept_.replays.add(
        StoredReplay(
            begun.id, owner, ReplayState.RUNNING, now, now, plan_to_json(begun.plan), progress_to_json(begun.progress)
        )
    )
    reason = f"replay {begun.id} of {begun.plan.total:,} messages to {told}" + (f": {note}" if note else "")
    passage = Passage(kept_.journal.new_id(), "in", login_name(), kind="operator", outcome=REPLAYED, reason=reason)
    await kept_.journal.write([passage])
    return replace(begun, owner=owner)


async def plan_of(replays: "Replays", named: str) -> "Plan":
    """Give the plan of a replay that can go on.

    Raises `CommandError` where there is none, where it is done, and where its file is not what it was.
    """
    from gateway.player.documents import plan_from_json  # noqa: PLC0415 - heavy
    from gateway.player.sources import FileChanged, check_unchanged  # noqa: PLC0415 - heavy
    from gateway.store.replays import ReplayState  # noqa: PLC0415 - heavy

    stored = await named_replay(replays, named)
    if stored.state is ReplayState.DONE:
        raise CommandError(f"Replay {stored.id} is done.", "Begin another to send the same again.", ExitCode.NOT_FINE)
    plan = read(plan_from_json, stored.plan, stored.id)
    if plan.file:
        try:
            check_unchanged(Path(plan.file), plan.fingerprint)
        except (FileChanged, OSError) as error:
            raise CommandError(f"Replay {stored.id} cannot go on: {error}", "Put the file back.") from error
    return plan


async def take_up(replays: "Replays", named: str, speed: str | None, rate: str | None) -> Begun:
    """Take a replay up again where it stopped: from now on it belongs to this run. Raises as `plan_of` does.

    One that did not end in order may be at it still: it is waited for until it has surely noticed.
    """
    from gateway.player.documents import progress_from_json  # noqa: PLC0415 - heavy
    from gateway.player.keeper import UNTIL_SILENT  # noqa: PLC0415 - heavy
    from gateway.store.replays import ReplayState  # noqa: PLC0415 - heavy

    plan = await plan_of(replays, named)
    owner, id_ = secrets.token_hex(8), plan.changes.replay
    taken = await replays.take(id_, owner, time.time())
    if taken is None:
        raise CommandError(f"Replay {id_} is not there any more.", code=ExitCode.NOT_FINE)
    if taken.state is ReplayState.RUNNING:
        await asyncio.sleep(UNTIL_SILENT)
    progress = read(progress_from_json, taken.progress, id_)
    progress.runs += 1
    if speed is not None or rate is not None:
        plan = replace(plan, speed=speed or plan.speed, rate=rate or plan.rate)
    return Begun(id_, plan, progress, owner)


async def named_replay(replays: "Replays", named: str) -> "StoredReplay":
    """Find a replay by the beginning of its id. Raises `CommandError` where there is none, or several."""
    found = await replays.find(named.strip(), 2) if named.strip() else []
    if len(found) == 1:
        return found[0]
    advice = "`cimgate replay list` shows them all."
    if found:
        raise CommandError(f"{named!r} names several replays.", f"Write more of the id; {advice}")
    raise CommandError(f"No replay has the id {named!r}.", advice, ExitCode.NOT_FINE)


def read(reader: Callable[[str], T], text: str, id_: str) -> T:
    """Read a document of a replay. Raises `CommandError` where another release has written it."""
    from gateway.player.documents import BadDocument  # noqa: PLC0415 - heavy

    try:
        return reader(text)
    except BadDocument as error:
        raise CommandError(f"Replay {id_} cannot go on: {error}.", "Use the release that began it.") from error


def source_of(plan: "Plan", journal: "Journal") -> "Source":
    """Give where the messages of a plan come from."""
    from gateway.player.sources import FileSource, JournalSource  # noqa: PLC0415 - heavy

    if plan.file:
        return FileSource(Path(plan.file), plan.search, plan.records)
    return JournalSource(journal, plan.search)


def planner_of(plan: "Plan", settings: "Settings") -> "Callable[[], Planner]":
    """Give what plans the messages of a plan."""
    from gateway.replay import Planner  # noqa: PLC0415 - heavy

    return lambda: Planner(plan.selection, plan.changes, plan.pace, settings.limits())


def aim_of_plan(plan: "Plan", settings: "Settings") -> Aim:
    """Give whereto a plan goes. Raises `CommandError`, also where that is production by now and nobody said it may."""
    guard(plan.target, settings, plan.changes.context, allowed=plan.production, begun=True)
    return aim_of(plan.target, settings, plan.changes.context, plan.changes.reply_to)


async def play(settings: "Settings", kept_: Kept, begun: Begun, watch: "Watch") -> bool:
    """Run a replay to its end, or to a signal; gives whether it is done. `watch` shows how far it is, now and then.

    Raises `CommandError`, and what `Player.play` and `Filer.write` raise; how far it came is noted in each case.
    """
    from gateway.player.filing import Filer  # noqa: PLC0415 - heavy
    from gateway.player.keeper import Keeper  # noqa: PLC0415 - heavy
    from gateway.player.player import Player  # noqa: PLC0415 - heavy
    from gateway.store.replays import ReplayState  # noqa: PLC0415 - heavy

    sys.setswitchinterval(_SWITCH)  # the thread that reads the journal would else hold up what is due for 5 ms
    aim = aim_of_plan(begun.plan, settings)
    source, planner = source_of(begun.plan, kept_.journal), planner_of(begun.plan, settings)
    keeper = Keeper(kept_.replays, begun.id, begun.owner, begun.progress, time.time, _STORE_PATIENCE)
    run: Player | Filer
    if aim.file is not None:
        run = Filer(source, planner, aim.target, keeper, begun.plan.changes.shift)
        work = asyncio.create_task(run.write(aim.file))
    else:
        run = Player(source, planner, aim.target, begun.plan.pace, keeper)
        work = asyncio.create_task(run.play(_reach(settings)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, run.stop)
    try:
        with watch(run) as show:
            while not (await asyncio.wait([work], timeout=0.2))[0]:
                show()
        work.result()
    except BaseException:
        await asyncio.gather(work, return_exceptions=True)
        await keeper.note(ReplayState.STOPPED)
        raise
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    await keeper.note(ReplayState.STOPPED if run.stopping else ReplayState.DONE)
    return not run.stopping


def _reach(settings: "Settings") -> "Reach":
    from gateway.player.player import Reach  # noqa: PLC0415 - heavy
    from gateway.wiring import access  # noqa: PLC0415 - heavy

    return Reach(access(settings), settings.confirm_timeout, settings.reconnect_first, settings.reconnect_most)


async def check_place(settings: "Settings", aim: Aim) -> None:
    """Raise `CommandError` where the place is not on the broker."""
    from gateway.broker.outbound import is_there  # noqa: PLC0415 - heavy
    from gateway.endpoints import AmqpAddress  # noqa: PLC0415 - heavy
    from gateway.endpoints.amqp import IN_EXCHANGE  # noqa: PLC0415 - heavy

    if aim.file is None and not await is_there(_reach(settings).access, aim.address or AmqpAddress(IN_EXCHANGE, "")):
        raise CommandError(
            f"The broker has no {aim.address or f'exchange {IN_EXCHANGE}'}.",
            "Start the gateway (cimgate run), or cimgate topology apply; a queue of your own must be declared.",
            ExitCode.BROKER,
        )


def _context(options: "Options", settings: "Settings") -> str | None:
    if options.context is not None or is_file(options.target):
        return options.context
    return settings.context


@dataclass(slots=True)
class _Seen:
    """How many a source holds; of those that are to be sent the first and last time, and how long they take."""

    found: int = 0
    total: int = 0
    first: float = 0.0
    last: float = 0.0
    seconds: float = 0.0


async def _looked_through(source: "Source", selection: "Selection", pace: "Pace") -> _Seen:
    """Look at all there is before anything is sent, so that what is asked and shown is right."""
    from gateway.replay import Timetable  # noqa: PLC0415 - heavy

    seen, timetable = _Seen(), Timetable(pace)
    async for message in source.messages(0):
        seen.found += 1
        if selection.leaves_out(message) is None:
            seen.total, seen.first, seen.last = seen.total + 1, seen.first or message.at, message.at
            seen.seconds = timetable.due(message.at)
    return seen


def _surveyed(file: Path, search: "JournalSearch") -> tuple[str, int]:
    """Give what tells a file from another, and how many records it holds."""
    from gateway.player.sources import not_in_files, surveyed  # noqa: PLC0415 - heavy
    from gateway.traffic import Damaged, NotTraffic, OverLimits  # noqa: PLC0415 - heavy

    if unknown := not_in_files(search):
        names = ", ".join(name.replace("_", "-") for name in unknown)
        raise CommandError(
            f"A file of recorded traffic does not tell {names}.", "`cimgate journal import` makes it searchable."
        )
    try:
        found = surveyed(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except (NotTraffic, Damaged, OverLimits) as error:
        raise CommandError(f"{file}: {error}", code=ExitCode.NOT_FINE) from error
    return found.fingerprint, found.records
