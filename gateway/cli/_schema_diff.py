"""`cimgate schemas diff`: what a partner's schema allows that ours does not, and the reverse."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._shared import CommandError, ExitCode, command, counted, load_settings, out, printable, show_indented
from gateway.cli.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.validation import SchemaSet
    from gateway.validation.comparison import Difference
    from gateway.validation.declarations import Element

_TITLES: Final = {"theirs": "Allowed by theirs, not by ours", "ours": "Allowed by ours, not by theirs"}


@dataclass(frozen=True, slots=True)
class Described:
    """One schema of a noun: where it is from, its namespace and version, its root element, what ours rests on."""

    where: str
    namespace: str
    version: str
    root: "Element"
    basis: str = ""


@command(schemas, "diff")
def diff(
    ctx: typer.Context,
    noun: Annotated[str, typer.Argument(metavar="NOUN", help="A noun or Get profile, such as MeterReadings.")],
    other: Annotated[
        Path | None,
        typer.Option("--with", metavar="FILE|FOLDER", help="Compare with this, not with the folder of the settings."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON array, an object for each schema of theirs.")
    ] = False,
) -> None:
    """Compare our schema of a noun with a partner's: what does each allow that the other does not.

    Exit status: 0 if they allow the same, 1 if they differ, 2 if there is nothing to compare.
    """
    from gateway.validation.comparison import compare  # noqa: PLC0415 - heavy

    where = other or load_settings(ctx).schemas
    if where is None:
        raise CommandError(
            "There is nothing to compare with: the setting schemas names no folder.",
            "Write --with FILE or --with FOLDER, or set CIMGATE_SCHEMAS.",
        )
    ours = _ours(noun)
    found = [(theirs, compare(theirs.root, ours.root)) for theirs in _theirs(noun, where)]
    if as_json:
        typer.echo(json.dumps([_as_json(noun, theirs, ours, differences) for theirs, differences in found], indent=2))
    else:
        for theirs, differences in found:
            _show(noun, theirs, ours, differences)
    if any(differences for _, differences in found):
        raise typer.Exit(ExitCode.NOT_FINE)


def _ours(noun: str) -> Described:
    from gateway import resources  # noqa: PLC0415 - heavy
    from gateway.validation import SchemaSet  # noqa: PLC0415 - heavy
    from gateway.validation.wording import nearest  # noqa: PLC0415 - heavy

    sources = resources.schema_sources()
    schema_set = SchemaSet(sources)
    space = schema_set.namespace_of(noun)
    if space is None:
        close = nearest(noun, schema_set.nouns | schema_set.profiles)
        hint = f" Do you mean {close}?" if close else ""
        raise CommandError(f"We have no schema of {noun}.{hint}", "`cimgate schemas list` names all.")
    described = _described(schema_set, space, noun)
    basis = resources.stated_basis(sources[described.where])
    return Described(described.where, space, described.version, described.root, basis)


def _theirs(noun: str, where: Path) -> list[Described]:
    from gateway import resources  # noqa: PLC0415 - heavy
    from gateway.validation import SchemaSet  # noqa: PLC0415 - heavy

    folder = where.parent if where.is_file() else where
    schema_set = SchemaSet(resources.schema_file(where) if where.is_file() else resources.schema_sources(where))
    files = {schema.namespace: schema.file for schema in schema_set.installed()}
    spaces = [space for space in schema_set.declaring(noun) if resources.is_from(folder, files[space])]
    if not spaces:
        raise CommandError(f"{where} has no schema with the root {noun}.", "Check the noun, or name another file.")
    return [_described(schema_set, space, noun, folder) for space in spaces]


def _described(schema_set: "SchemaSet", space: str, noun: str, folder: Path | None = None) -> Described:
    [schema] = [schema for schema in schema_set.installed() if schema.namespace == space]
    schema_set.of(f"{{{space}}}{noun}")  # says what is wrong with it, where it does not compile
    model = schema_set.model(space)
    root = None if model is None else model.element([f"{{{space}}}{noun}"])
    if root is None:
        raise CommandError(f"{schema.file} breaks a rule of XML Schema, so that it cannot be compared.")
    return Described(schema.file if folder is None else str(folder / schema.file), space, schema.version, root)


def _show(noun: str, theirs: Described, ours: Described, differences: "Sequence[Difference]") -> None:
    for name, schema in (("theirs", theirs), ("ours", ours)):
        version = f", version {schema.version}" if schema.version else ""
        basis = f": {schema.basis}" if schema.basis else ""
        show_indented(f"{schema.where}{version}{basis}", indent=0, label=name)
        if theirs.namespace != ours.namespace:
            show_indented(schema.namespace, indent=9, style="dim")
    if not differences:
        out.print(f"\nBoth allow the same in {printable(noun)}.", soft_wrap=True)
    for side, title in _TITLES.items():
        said = [difference for difference in differences if difference.side == side]
        if said:
            out.print(Text(f"\n{title}: {counted(len(said), 'difference')}", style="bold"), soft_wrap=True)
        path = ""
        for difference in said:
            if difference.path != path:
                path = difference.path
                out.print(Text(f"  {printable(path)}"), soft_wrap=True)
            more = difference.places - 1
            places = f" (and in {counted(more, 'more place')})" if more else ""
            show_indented(f"{difference.text}{places}", style="dim")
    out.print()


def _as_json(noun: str, theirs: Described, ours: Described, differences: "Sequence[Difference]") -> dict[str, Any]:
    return {
        "noun": noun,
        "same": not differences,
        **{
            name: {
                "from": schema.where,
                "namespace": schema.namespace,
                "version": schema.version or None,
                "basis": schema.basis or None,
            }
            for name, schema in (("theirs", theirs), ("ours", ours))
        },
        "differences": [
            {
                "allowed_by": str(difference.side),
                "kind": difference.kind,
                "path": difference.path,
                "text": difference.text,
                "places": difference.places,
            }
            for difference in differences
        ],
    }
