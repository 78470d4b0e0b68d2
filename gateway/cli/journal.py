"""`cimgate journal`: every message that passed, found again: where is it, why, and who did what about it."""

import contextlib
import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._journal_filters import Filters, filtered, find
from gateway.cli._journals import passage_id, short, with_journal
from gateway.cli._shared import CommandError, ExitCode, app, command, out, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.cli._journal_stats import Found
    from gateway.cli._journal_story import Story
    from gateway.store.journal import Journal, Passage

_DAY: Final = 86_400.0
_DAYS: Final = 30
_SORTS: Final = ("noun", "verb", "source", "outcome", "direction")

journal = typer.Typer(
    no_args_is_help=True, help="Every message that passed: find it, tell its story, follow, count, export, import."
)
app.add_typer(journal, name="journal")

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
StoreUrl = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="The journal of this store, not of the settings.")
]


class Slot(StrEnum):
    """What is counted in."""

    HOUR = "hour"
    DAY = "day"


@command(journal, "list")
@filtered()
def list_(
    ctx: typer.Context,
    filters: Filters,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many.")] = 50,
    before: Annotated[
        str | None, typer.Option("--before", metavar="ID", help="The next page: older than this one of the list.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List messages, the latest first: when, which way, who to whom, verb(noun), outcome, and the id for `show`.

    Exit status: 0, 1 if there is none, 2 for a wrong option, 3 if the store cannot be reached.
    """
    from gateway.cli._journal_documents import facts_of  # noqa: PLC0415 - heavy
    from gateway.cli._journal_list import show_table  # noqa: PLC0415 - heavy

    after = None if before is None else _id(before, "--before")

    async def look(opened: "Journal") -> "tuple[list[Passage], Passage | None]":
        found = await find(opened, filters, limit + 1, after=after)
        return found, None if found else await oldest_of(opened)

    found, oldest = with_journal(ctx, filters.store, look)
    if not found:
        nothing(filters, oldest)
    if as_json:
        for one in found[:limit]:
            typer.echo(json.dumps(facts_of(one)))
        return
    show_table(found[:limit], time.time())
    if len(found) > limit:
        out.print(Text(f"There are more: --before {short(found[limit - 1].id)} shows the next page.", style="dim"))


@command(journal)
def show(  # noqa: PLR0917 - an option each
    ctx: typer.Context,
    named: Annotated[
        str, typer.Argument(metavar="ID", help="Its id in the list, its MessageID, or its CorrelationID.")
    ],
    body: Annotated[bool, typer.Option("--body", help="Print the message too, laid out for reading.")] = False,
    as_is: Annotated[bool, typer.Option("--as-is", help="With --body: its lines as they came.")] = False,
    raw: Annotated[
        str | None, typer.Option("--raw", metavar="FILE", help="Write its exact bytes to a file (- is the output).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --raw: replace a file that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with the message.")] = False,
    as_xml: Annotated[bool, typer.Option("--xml", help="One XML document, with the message.")] = False,
    store: StoreUrl = None,
) -> None:
    """Tell the story of one message: where from, why refused, who got it, what followed, what operators did.

    Exit status: 0, 1 if there is no such message, 2 for a wrong option, 3 if the store cannot be reached.
    """
    from gateway.cli._journal_story import show_body, show_story, told  # noqa: PLC0415 - heavy

    story = with_journal(ctx, store, lambda opened: told(opened, named))
    if raw is not None:
        _write_raw(story.subject, raw, force=force)
    elif as_json:
        typer.echo(json.dumps(_story_as_json(story), indent=2))
    elif as_xml:
        typer.echo(_story_as_xml(story))
    else:
        show_story(story, time.time())
        if body or as_is:
            show_body(story.subject, as_is=as_is)


@command(journal)
@filtered("until")
def tail(
    ctx: typer.Context,
    filters: Filters,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, max=10_000, help="Begin with so many of the last; not with --since.")
    ] = 10,
    as_json: Json = False,
) -> None:
    """Follow the messages as they pass, of all gateways that share the store, until Ctrl-C.

    Each is shown about a second after the gateway is done with it. What took a gateway more than two minutes, because
    it had to try again, is in `list` alone. Exit status: 0 after Ctrl-C, 2 for a wrong option, 3 if the store cannot be
    reached.
    """
    from gateway.cli._journal_documents import facts_of  # noqa: PLC0415 - heavy
    from gateway.cli._journal_list import line_of  # noqa: PLC0415 - heavy
    from gateway.cli._journal_tail import follow  # noqa: PLC0415 - heavy

    def show_all(passages: "Sequence[Passage]") -> None:
        for one in passages:
            if as_json:
                typer.echo(json.dumps(facts_of(one)))
            else:
                width = out.width if out.is_terminal else None
                out.print(line_of(one, time.time(), width), soft_wrap=True)

    with contextlib.suppress(KeyboardInterrupt):
        with_journal(ctx, filters.store, lambda opened: follow(opened, filters, show_all, lines))


@command(journal)
@filtered("id_", "imported")
def stats(
    ctx: typer.Context,
    filters: Filters,
    per: Annotated[Slot, typer.Option("--per", help="Count by the hour or by the day, on this machine's clock.")] = (
        Slot.HOUR
    ),
    by: Annotated[
        str, typer.Option("--by", help="What tells sorts apart: some of noun,verb,source,outcome,direction.")
    ] = "noun,verb,source,outcome",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most so many sorts.")] = 20,
    as_json: Json = False,
) -> None:
    """Count messages by the time and by sort; without --since of the last 24 hours, or of 30 days by the day.

    Exit status: 0, 1 if there is none, 2 for a wrong option, 3 if the store cannot be reached.
    """
    from gateway.cli._journal_stats import Per, ask, show_sorts, show_times, slots_of  # noqa: PLC0415 - heavy

    sorts = _sorts(by)
    now = time.time()
    if filters.since is None:
        filters = filters.within(since=(filters.until or now) - _DAY * (1 if per is Slot.HOUR else _DAYS))
    unit = Per(per.value)

    async def look(opened: "Journal") -> "tuple[Found, Passage | None]":
        found = await ask(opened, filters, unit)
        return found, None if found else await oldest_of(opened)

    found, oldest = with_journal(ctx, filters.store, look)
    if not found:
        nothing(filters, oldest)
    if as_json:
        _show_counts(found, unit)
        return
    slots = slots_of(found, unit, min(filters.until or now, now))
    show_times(found, slots)
    out.print()
    show_sorts(found, slots, sorts, limit)


async def oldest_of(opened: "Journal") -> "Passage | None":
    """Give the oldest message that is kept."""
    from gateway.store.journal import JournalSearch  # noqa: PLC0415 - heavy

    return next(iter(await opened.find(JournalSearch(), 1, oldest_first=True)), None)


def nothing(filters: Filters, oldest: "Passage | None") -> None:
    """Say that nothing was found, and end. Raises `CommandError`."""
    from gateway.cli._times import full  # noqa: PLC0415 - heavy

    if oldest is None:
        raise CommandError("The journal is empty.", "Is it that of the gateway? See --store.", ExitCode.NOT_FINE)
    ends = [("from", filters.since), ("before", filters.until)]
    said = "".join(f" {word} {full(at)}" for word, at in ends if at is not None)
    raise CommandError(
        f"No message of that kind is in the journal{said}.",
        f"Its oldest is of {full(oldest.at)}; older ones are not kept. An id or a device must be written in full; in "
        "other options * stands for any characters.",
        ExitCode.NOT_FINE,
    )


def _id(written: str, option: str) -> int:
    id_ = passage_id(written)
    if id_ is None:
        raise CommandError(f"{option} {written!r} is no id of the list.", "Copy one from the column `id`.")
    return id_


def _sorts(written: str) -> list[str]:
    sorts = [one.strip() for one in written.split(",") if one.strip()]
    wrong = next((one for one in sorts if one not in _SORTS), None)
    if wrong is not None or not sorts:
        raise CommandError(f"--by {wrong or written!r} is none.", f"Write some of {','.join(_SORTS)}.")
    return list(dict.fromkeys(sorts))


def _show_counts(found: "Found", per: "StrEnum") -> None:
    from gateway.cli._times import full  # noqa: PLC0415 - heavy

    for (start, direction, noun, verb, source, outcome), messages in sorted(found.items()):
        facts = {"start": full(start), "per": per.value, "direction": direction, "noun": noun, "verb": verb}
        typer.echo(json.dumps({**facts, "source": source, "outcome": outcome, "messages": messages}))


def _write_raw(subject: "Passage", file: str, *, force: bool) -> None:
    from gateway.cli._journal_export import STREAM, refuse_existing  # noqa: PLC0415 - heavy
    from gateway.cli._journal_words import in_bytes, is_masked  # noqa: PLC0415 - heavy

    if subject.body is None:
        raise CommandError(
            f"Of {short(subject.id)} headers alone are kept: there are no bytes to write.", code=ExitCode.NOT_FINE
        )
    if file == STREAM:
        sys.stdout.buffer.write(subject.body)
        sys.stdout.buffer.flush()
        return
    refuse_existing(Path(file), force=force)
    try:
        Path(file).write_bytes(subject.body)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    kept = "with masked values (***)" if is_masked(subject.body) else "as it passed"
    out.print(Text(printable(f"{file} written: {in_bytes(len(subject.body))}, {kept}.")), soft_wrap=True)


def _story_as_json(story: "Story") -> dict[str, object]:
    from gateway.cli._journal_documents import facts_of  # noqa: PLC0415 - heavy
    from gateway.cli._journal_story import rule_in_words  # noqa: PLC0415 - heavy
    from gateway.cli._journal_words import outcome_sentence, to_do  # noqa: PLC0415 - heavy

    subject = story.subject
    return {
        **facts_of(subject, body=True),
        "outcome_in_words": outcome_sentence(subject),
        "rule_in_words": rule_in_words(subject.rule) if subject.rule else None,
        "to_do": to_do(subject) or None,
        "by_operators": [facts_of(one) for one in story.by_hand],
        "same_message_id": [facts_of(one) for one in story.again],
        "related": [facts_of(one) for one in story.others],
        "more_related": story.more,
    }


def _story_as_xml(story: "Story") -> str:
    from lxml import etree  # noqa: PLC0415 - heavy

    from gateway.cli._journal_documents import story_element  # noqa: PLC0415 - heavy

    return etree.tostring(story_element(story.subject, story.others), encoding="unicode", pretty_print=True).rstrip()
