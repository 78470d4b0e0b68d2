"""`cimgate schemas list`: which schemas are in use, how sure each is, and which verbs go with it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._nouns import OWN
from gateway.cli._shared import app, command, load_settings, out, printable, show_indented

if TYPE_CHECKING:
    from gateway.validation.schemas import Installed

_SHORT: Final = {"..": "http://iec.ch/TC57", "www..": "http://www.iec.ch/TC57"}
"""How namespaces begin where the terminal is too narrow for the whole."""
_GAP: Final = 2

schemas = typer.Typer(no_args_is_help=True, help="Show the XML schemas in use, and compare them with others.")
app.add_typer(schemas, name="schemas")


@dataclass(frozen=True, slots=True)
class Row:
    """A schema of the list; `site` is the folder that it is from, None where it came with cimgate."""

    schema: "Installed"
    label: str
    basis: str
    kind: str
    site: Path | None
    replaces: bool


@command(schemas, "list")
def show(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, an object for each schema.")] = False,
) -> None:
    """List the schemas by what they rest on: noun, version, verbs, namespace, and which of your files is used."""
    settings = load_settings(ctx)
    rows = _rows(settings.schemas)
    if as_json:
        typer.echo(json.dumps([_as_json(row) for row in rows], indent=2))
        return
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.basis, []).append(row)
    _table(sorted(groups.items(), key=lambda item: (item[1][0].site is None, OWN in item[0], -len(item[1]))))


def _rows(folder: Path | None) -> list[Row]:
    from gateway import resources  # noqa: PLC0415 - heavy
    from gateway.validation import SchemaSet  # noqa: PLC0415 - heavy
    from gateway.validation.sources import ENVELOPES  # noqa: PLC0415 - heavy

    shipped = resources.schema_sources()
    ours = {resources.target_namespace(raw, name) for name, raw in shipped.items()}
    sources = shipped if folder is None else resources.schema_sources(folder)
    schema_set = SchemaSet(sources)
    rows = []
    for schema in schema_set.installed():
        raw = sources[schema.file]
        envelope = schema.namespace in ENVELOPES
        label = schema.noun or ("(envelope)" if envelope else "(imported)")
        kind = "envelope" if envelope else "get" if schema.noun in schema_set.profiles else "payload"
        own = not resources.is_from(folder, schema.file)
        basis = (resources.stated_basis(raw) or "not stated") if own else f"from your folder {folder}"
        site = None if own else folder
        rows.append(Row(schema, label, basis, kind if schema.noun or envelope else "", site, schema.namespace in ours))
    return sorted(rows, key=lambda row: (row.label.startswith("("), row.label.lower(), row.schema.namespace))


def _table(groups: Sequence[tuple[str, list[Row]]]) -> None:
    rows = [row for _, group in groups for row in group]
    widths = [
        max(map(len, column))
        for column in (
            ["noun", *(row.label for row in rows)],
            ["version", *(row.schema.version for row in rows)],
            ["verbs", *map(_verbs_in_short, rows)],
        )
    ]
    longest = max(len(row.schema.namespace) for row in rows)
    # What goes into a file or a pipe is searched, not looked at: it stays whole.
    short = out.is_terminal and sum(widths) + len(widths) * _GAP + longest > out.width
    for basis, group in groups:
        show_indented(basis[:1].upper() + basis[1:], indent=0, style="bold")
        out.print(_line(["noun", "version", "verbs", "namespace"], widths, "dim"), soft_wrap=True)
        for row in group:
            namespace = row.schema.namespace
            for sign, base in _SHORT.items() if short else ():
                namespace = namespace.replace(f"{base}/", f"{sign}/", 1)
            cells = [row.label, row.schema.version or "-", _verbs_in_short(row), namespace]
            out.print(_line(cells, widths), soft_wrap=True)
            for remark in _remarks(row):
                show_indented(remark, style="dim")
        out.print()
    _legend(short=short)


def _line(cells: Iterable[str], widths: list[int], style: str = "") -> Text:
    *first, last = (printable(cell) for cell in cells)
    padded = "".join(cell.ljust(width + _GAP) for cell, width in zip(first, widths, strict=True))
    return Text(padded + last, style=style)


def _remarks(row: Row) -> Iterator[str]:
    if row.site is not None:
        yield f"{row.schema.file}{', in place of ours' if row.replaces else ''}"
    if row.schema.passed_over:
        yield f"Not used, because it describes the same namespace: {', '.join(row.schema.passed_over)}"


def _legend(*, short: bool) -> None:
    if short:
        for sign, base in _SHORT.items():
            show_indented(f"stands for {base}", indent=0, label=sign, style="dim")
    verbs = _verbs("payload")
    lines = {
        "all": f"requests {', '.join(verbs['requests'])}; replies {', '.join(verbs['replies'])}; events "
        f"{', '.join(verbs['events'])}; in an OperationSet {', '.join(verbs['in_operation_set'])}",
        "get": "the parameters of a get request of the noun, in Request",
        "execute": "the envelope holds the OperationSet, whose verbs are execute and executed",
    }
    for name, text in lines.items():
        show_indented(text, indent=0, label=name, style="dim")


def _verbs_in_short(row: Row) -> str:
    return {"payload": "all", "get": "get", "envelope": "execute"}.get(row.kind, "-")


def _verbs(kind: str) -> dict[str, list[str]]:
    """Give the verbs by the verb table of Part 100; inside an OperationSet by Annex K."""
    from gateway.message.verbs import EVENT_OF, OPERATION_VERBS, Verb  # noqa: PLC0415 - heavy

    executes = kind == "envelope"
    pairs = {request: event for request, event in EVENT_OF.items() if (request is Verb.EXECUTE) == executes}
    verbs = {"requests": [*pairs], "replies": [Verb.REPLY], "events": [*pairs.values()]}
    if kind == "payload":
        in_set = [verb for pair in pairs.items() for verb in pair if verb in OPERATION_VERBS]
        return _words(verbs | {"requests": [Verb.GET, *pairs], "in_operation_set": in_set})
    return _words(verbs if executes else {"parameters_of": [Verb.GET]} if kind == "get" else {})


def _words(verbs: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [str(verb) for verb in group] for name, group in verbs.items()}


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "noun": row.schema.noun or None,
        "namespace": row.schema.namespace,
        "version": row.schema.version or None,
        "basis": row.basis,
        "verbs": _verbs(row.kind),
        "file": row.schema.file,
        "from": "cimgate" if row.site is None else str(row.site),
        "replaces_ours": row.site is not None and row.replaces,
        "not_used": list(row.schema.passed_over),
    }
