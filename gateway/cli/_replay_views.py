"""What is seen of replays: how far one is, its report, the list, and what a dry run would send."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from gateway.cli._replay_aims import is_file
from gateway.cli._replay_runs import Begun, Watch, read
from gateway.cli._shared import counted, err, out, printable, show_indented
from gateway.cli._times import clock, full
from gateway.durations import lasted

if TYPE_CHECKING:
    from gateway.endpoints import Publication
    from gateway.player import documents
    from gateway.player.filing import Filer
    from gateway.player.player import Player
    from gateway.replay import Step
    from gateway.store.replays import StoredReplay

_EVERY: Final = 10.0
"""Seconds between two lines in a log."""


def watching(begun: Begun, *, quiet: bool) -> "Watch":
    """Give what shows how far a replay is: a bar on a terminal, a line now and then otherwise."""

    def watch(run: "Player | Filer") -> AbstractContextManager[Callable[[], None]]:
        if quiet:
            return nullcontext(lambda: None)
        return _bar(begun, run) if err.is_terminal else _lines(begun, run)

    return watch


@contextmanager
def _bar(begun: Begun, run: "Player | Filer") -> Iterator[Callable[[], None]]:
    bar = Progress(
        TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TextColumn("{task.fields[told]}"), console=err,
        auto_refresh=False, transient=True,
    )  # fmt: skip
    rate = _Rate(begun)
    with bar:
        task = bar.add_task("", total=begun.plan.found or None, told="")

        def show() -> None:
            for news in run.troubles.news():
                err.print(Text(printable(news)), soft_wrap=True)
            bar.update(task, completed=begun.progress.looked_at, told=_how_far(begun, rate), refresh=True)

        yield show


@contextmanager
def _lines(begun: Begun, run: "Player | Filer") -> Iterator[Callable[[], None]]:
    rate, last = _Rate(begun), time.monotonic()

    def show() -> None:
        nonlocal last
        now = time.monotonic()
        for news in run.troubles.news():
            err.print(Text(printable(news)), soft_wrap=True)
        if now - last >= _EVERY:
            last = now
            err.print(Text(f"{begun.id}: {_how_far(begun, rate)}"), soft_wrap=True)

    yield show
    show()


class _Rate:
    """Messages a second of late, and what is left by that; where the recorded times say more, by them."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun
        self._from = (time.monotonic(), begun.progress.looked_at)
        self.now = 0.0

    def look(self) -> float | None:
        """Give how many seconds are likely to be left; None where nobody can tell yet."""
        at, count = self._from
        now, progress, plan = time.monotonic(), self._begun.progress, self._begun.plan
        if now - at >= 1:
            self.now = (progress.looked_at - count) / (now - at)
            if now - at >= _EVERY:
                self._from = (now, progress.looked_at)
        left = [max(0, plan.found - progress.looked_at) / self.now] if self.now else []
        if plan.pace.speed is not None and progress.at:
            left = [max(0.0, plan.last - progress.at) / plan.pace.speed]
        if plan.pace.rate is not None:
            left.append(max(0, plan.found - progress.looked_at) / plan.pace.rate)
        return max(left, default=None)


def _how_far(begun: Begun, rate: _Rate) -> str:
    progress, left = begun.progress, rate.look()
    told = f"{progress.sent:,} of {begun.plan.total:,} sent"
    if rate.now:
        told += f", {rate.now:,.0f}/s" if rate.now >= 1 else f", {rate.now * 60:,.1f}/min"
    if left is None:
        return told
    return f"{told}, {f'{left:.0f} s' if left < 60 else lasted(left)} left"  # noqa: PLR2004 - a minute


def show_report(begun: Begun, told: str, *, done: bool, dry: bool = False) -> None:
    """Say what became of a replay, or what would."""
    progress = begun.progress
    head = "Nothing was sent: " if dry else f"Replay {begun.id} {'is done' if done else 'has stopped'}: "
    verb = f"{'would be ' if dry else ''}{'written' if is_file(told) else 'sent'}"
    text = f"{counted(progress.sent, 'message')} {verb} to {told} in {lasted(progress.seconds)}."
    out.print(Text.assemble((head, "bold" if done else "bold yellow"), printable(text)), soft_wrap=True)
    for label, line in _report(begun):
        show_indented(line, indent=2, label=label, style="red" if label == "refused" else "")
    if not done:
        out.print(Text(f"  `cimgate replay --resume {begun.id}` goes on where it stopped."), soft_wrap=True)


def _report(begun: Begun) -> Iterator[tuple[str, str]]:
    from gateway.replay import Difference, LeftOut  # noqa: PLC0415 - quick start of the other commands

    progress = begun.progress
    for name, count in sorted(progress.differences.items(), key=lambda pair: -pair[1]):
        more = _from(begun) if name == Difference.CONTEXT.name else ""
        yield "changed", f"{count:,}: {Difference[name]}{more}"
    for name, count in sorted(progress.left_out.items(), key=lambda pair: -pair[1]):
        if name == LeftOut.OPERATOR.name:
            continue  # no messages: nobody misses them
        yield "left out", f"{count:,}: {LeftOut[name]}"
    if progress.masked:
        yield "masked", f"{progress.masked:,}: recorded with personal data masked (***), and sent like that"
    if progress.undeliverable:
        yield "refused", f"{progress.undeliverable:,}: reached no queue"
        for problem in progress.problems:
            yield "", problem
    if progress.repeated:
        yield "repeated", f"{progress.repeated:,}: may have been sent before a stop: marked cim-redelivered"
    errors = progress.errors
    median, most = errors.quantile(0.5), errors.quantile(0.99)
    if median is not None and most is not None:
        yield (
            "spacing",
            f"half of them off by at most {median * 1000:.1f} ms, 99 of 100 by at most {most * 1000:.1f} ms",
        )
    if progress.held >= 1:
        yield "held up", f"for {lasted(progress.held)}: broker or machine were too slow, all that followed was moved"


def _from(begun: Begun) -> str:
    others = sorted(name for name in begun.progress.contexts if name not in ("", begun.plan.changes.context))
    return f" from {', '.join(others)} to {begun.plan.changes.context}"


def as_json(begun: Begun, told: str, *, done: bool) -> dict[str, object]:
    """Give the report as a JSON object."""
    progress, plan = begun.progress, begun.plan
    parts = {"median": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    errors = {name: progress.errors.quantile(part) for name, part in parts.items()}
    return {
        "id": begun.id,
        "state": "done" if done else "stopped",
        "from": plan.file or "journal",
        "target": told,
        "speed": plan.speed,
        "rate": plan.rate,
        "total": plan.total,
        "sent": progress.sent,
        "repeated": progress.repeated,
        "undeliverable": progress.undeliverable,
        "left_out": {name.lower(): count for name, count in progress.left_out.items()},
        "changed": {name.lower(): count for name, count in progress.differences.items()},
        "masked": progress.masked,
        "seconds": round(progress.seconds, 3),
        "held_up_seconds": round(progress.held, 3),
        "spacing_error_ms": {name: None if off is None else round(off * 1000, 3) for name, off in errors.items()},
        "runs": progress.runs,
        "problems": progress.problems,
    }


def show_list(found: "Sequence[StoredReplay]", now: float) -> None:
    """Print a line for each replay."""
    from gateway.player.documents import plan_from_json, progress_from_json  # noqa: PLC0415 - heavy

    rows = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    for name in ("begun", "id", "state"):
        rows.add_column(name, no_wrap=True)
    rows.add_column("sent", justify="right", no_wrap=True)
    rows.add_column("from", overflow="fold")
    rows.add_column("to", overflow="fold")
    for one in found:
        plan, progress = read(plan_from_json, one.plan, one.id), read(progress_from_json, one.progress, one.id)
        state = Text(state_of(one, now), style="" if one.state == "done" else "yellow")
        sent = f"{progress.sent:,} of {plan.total:,}"
        origin, target = _origin(plan, now), plan.target.rpartition("/")[2] if is_file(plan.target) else plan.target
        rows.add_row(clock(one.started, now), one.id, state, sent, printable(origin), printable(target))
    out.print(rows)


def state_of(one: "StoredReplay", now: float) -> str:
    """Say how a replay stands; one whose last note is old was killed."""
    if one.state == "running" and now - one.updated > _EVERY:
        return f"silent for {lasted(now - one.updated)}"
    return one.state.value


def listed(one: "StoredReplay", now: float) -> dict[str, object]:
    """Give a replay of the list as a JSON object."""
    from gateway.player.documents import plan_from_json, progress_from_json  # noqa: PLC0415 - heavy

    plan, progress = read(plan_from_json, one.plan, one.id), read(progress_from_json, one.progress, one.id)
    told = as_json(Begun(one.id, plan, progress), plan.target, done=one.state == "done")
    return told | {"state": state_of(one, now), "begun": full(one.started), "updated": full(one.updated)}


def _origin(plan: "documents.Plan", now: float) -> str:
    if plan.file:
        return plan.file.rpartition("/")[2]
    since, until = plan.search.since, plan.search.until
    return f"{clock(since, now) if since else '...'} to {clock(until, now) if until else '...'}"


def show_step(step: "Step", publication: "Publication", *, in_json: bool) -> None:
    """Print what would be sent for a message, and when."""
    recorded, header = step.recorded, publication.header
    message_id = (header.message_id if header is not None else recorded.message_id) or ""
    where = f"{publication.address.exchange or 'queue'}:{publication.address.routing_key}"
    if in_json:
        typer.echo(
            json.dumps(
                {
                    "after_seconds": round(step.due, 6),
                    "recorded": full(recorded.at),
                    "verb": recorded.verb,
                    "noun": recorded.noun,
                    "source": recorded.source,
                    "message_id": message_id,
                    "to": where,
                    "bytes": len(publication.body),
                    "changed": [one.name.lower() for one in step.changed.differences],
                }
            )
        )
        return
    if header is None:
        told = f"a message that cannot be read, {counted(len(publication.body), 'byte')}"
    else:
        told = f"{header.verb}({header.noun}) from {header.source or '?'}, {message_id or 'no MessageID'}"
    context = (header.context or "") if header is not None else ""
    out.print(
        Text.assemble((f"+{step.due:>10.3f} s  ", "bold"), (printable(f"{context:<11} "), "dim"), printable(told)),
        soft_wrap=True,
    )
