"""`cimgate codes`: what a dotted code means, and which code has a name."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.cli._shared import ExitCode, app, command, complain, counted, err, out, printable, show_indented

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.codes import Explanation, Item, Part

_MOST_SHOWN: Final = 30
"""Hits of a search; who wants more asks for all."""
_OPEN: Final = "*"
_TITLES: Final = {
    "event": "Events (EndDeviceEventType); first number 3: electric meter",
    "control": "Controls (EndDeviceControlType); first number 3: electric meter",
    "reading": "Reading types (ReadingType): common ones, and the numbers of their parts",
    "quality": "Quality codes (ReadingQualityType); * is the system that says it",
    "reply": "Reply codes (Reply.Error.code)",
    "word": "Words of messages",
}

codes = typer.Typer(no_args_is_help=True, help="Explain and find reading types, events, controls, quality, replies.")
app.add_typer(codes, name="codes")


class Kind(StrEnum):
    """What to search."""

    READING = "reading"
    QUALITY = "quality"
    EVENT = "event"
    CONTROL = "control"
    REPLY = "reply"
    WORD = "word"


@command(codes)
def explain(
    asked: Annotated[list[str], typer.Argument(metavar="CODE...", help="Codes, patterns with *, or names.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a code, on a line of its own.")] = False,
) -> None:
    """Say what codes mean: 3.26.0.85, *.26.0.85, 2.5, Power.Failed, "kWh delivered".

    18 numbers are a reading type, four an event or control type, three a quality code, two a reply code. A code whose
    numbers are not known is explained as far as they are. Exit status: 0, or 1 if something is no code and no name.
    """
    from gateway.codes import BadCode  # noqa: PLC0415 - heavy
    from gateway.codes import explain as explained  # noqa: PLC0415 - heavy

    bad = shown = False
    for text in asked:
        try:
            found = explained(text)
        except BadCode as error:
            bad = True
            if as_json:
                typer.echo(json.dumps({"asked": text, "error": str(error)}))
            else:
                complain(f"'{text}' cannot be explained: {error}.")
            continue
        if as_json:
            typer.echo(json.dumps({"asked": text, "explanations": [asdict(explanation) for explanation in found]}))
            continue
        if shown:
            out.print()
        _show(found)
        shown = True
    if bad:
        if not as_json:
            err.print("`cimgate codes search WORD` finds codes by what they mean.")
        raise typer.Exit(ExitCode.NOT_FINE)


@command(codes)
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words, names, codes, or parts of them.")],
    kind: Annotated[Kind | None, typer.Option(help="Only these; all otherwise.")] = None,
    every: Annotated[bool, typer.Option("--all", help=f"Show all hits, not only the first {_MOST_SHOWN}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array with all hits.")] = False,
) -> None:
    """Find codes by their name, their meaning or the code itself; all words must be there: codes search outage.

    Exit status: 0, or 1 if nothing is found.
    """
    from gateway.codes import search as searched  # noqa: PLC0415 - heavy

    found = searched(words, None if kind is None else kind.value)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found], indent=2))
    elif not found:
        among = "" if kind is None else f" of kind {kind}"
        complain(f"Nothing{among} has '{' '.join(words)}' in its name, meaning or code.", "Try fewer or shorter words.")
    else:
        _show_hits(found if every else found[:_MOST_SHOWN])
        if not every and len(found) > _MOST_SHOWN:
            out.print(Text(f"and {counted(len(found) - _MOST_SHOWN, 'hit')} more; --all shows them", style="dim"))
    if not found:
        raise typer.Exit(ExitCode.NOT_FINE)


def _show(found: "Sequence[Explanation]") -> None:
    shown: tuple[Part, ...] = ()
    for explanation in found:
        head = Text.assemble((printable(explanation.code), "bold"), f"  {explanation.registry}")
        if explanation.name != explanation.code:
            head.append(f"  {printable(explanation.name)}", style="cyan")
        out.print(head, soft_wrap=True)
        show_indented(explanation.sentence, indent=2)
        # An event and a control type share their parts: once is enough.
        if explanation.parts and explanation.parts != shown:
            _show_parts(explanation)
            shown = explanation.parts
        _show_answers(explanation)
        for note in explanation.notes:
            show_indented(note, indent=2, style="dim")


def _show_parts(explanation: "Explanation") -> None:
    parts = explanation.parts
    if explanation.registry == "reading":
        parts = tuple(part for part in parts if not part.is_none and part.value != _OPEN)
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("", "Part", "Number", "Meaning"):
        rows.add_column(column, overflow="fold")
    for part in parts:
        rows.add_row(str(part.position), part.part, Text(part.value), _told(part))
    if parts:
        out.print(Padding(rows, (0, 0, 0, 2), expand=False))
    for value, what in (("0", "0: they do not apply"), (_OPEN, "open: any number fits")):
        left_out = sum(part.value == value for part in explanation.parts if part not in parts)
        if left_out:
            others = f"{counted(left_out, 'other part')} {'is' if left_out == 1 else 'are'}"
            out.print(Text(f"  {others} {what}", style="dim"))


def _show_answers(explanation: "Explanation") -> None:
    if not explanation.answers:
        return
    out.print("  Events that answer it:" if explanation.registry == "control" else "  It answers the control:")
    rows = _grid()
    for answer in explanation.answers:
        source = " (one source)" if answer.confidence == "C" else ""
        style = "green" if answer.outcome == "success" else "red"
        rows.add_row(Text(answer.outcome, style=style), Text(answer.code), Text.assemble(answer.name, (source, "dim")))
    out.print(Padding(rows, (0, 0, 0, 4)))


def _show_hits(found: "Sequence[Item]") -> None:
    for number, registry in enumerate(dict.fromkeys(item.registry for item in found)):
        if number:
            out.print()
        out.print(Text(_TITLES[registry], style="dim"))
        hits = [item for item in found if item.registry == registry]
        # The code of a reading type takes half a line: its name stands beside it, its meaning below.
        long = [item for item in hits if item.whole and registry == "reading"]
        for item in long:
            out.print(Text.assemble("  ", (item.shown, "bold"), "  ", (item.name, "cyan")), soft_wrap=True)
            show_indented(_meaning(item), indent=6)
        rows = _grid()
        rows.columns[0].style = "bold"
        for item in hits:
            if item not in long:
                rows.add_row(Text(item.shown), Text(item.name, style="cyan"), Text(_meaning(item)))
        if rows.rows:
            out.print(Padding(rows, (0, 0, 0, 2)))


def _meaning(item: "Item") -> str:
    return f"{item.meaning} ({item.remark})" if item.remark else item.meaning


def _grid() -> Table:
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_column(overflow="fold")
    return rows


def _told(part: "Part") -> Text:
    from gateway.codes.words import in_words  # noqa: PLC0415 - heavy

    told = Text(part.name, style="cyan")
    if not part.is_none and part.meaning.casefold() not in (part.name.casefold(), in_words(part.name).casefold()):
        told.append(f"{': ' if part.name else ''}{part.meaning}", style="not dim default")
    return told.append(f" ({part.note})", style="dim") if part.note else told
