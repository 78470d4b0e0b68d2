"""`cimgate noun`: what a noun is for, and the tree of its profile."""

import json
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._nouns import OWN, bases, sentence
from gateway.cli._shared import CommandError, app, command, load_settings, out, printable, show_indented

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.settings import Settings
    from gateway.validation import SchemaSet
    from gateway.validation.declarations import Element
    from gateway.validation.outline import Node

_STEP: Final = 2
_NARROWEST_KIND: Final = 24


@command(app)
def noun(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="[NOUN]", help="MeterReadings, or a profile such as GetMeterReadings.")
    ] = "",
    depth: Annotated[
        int, typer.Option("--depth", metavar="N", min=1, help="Show the tree so many levels deep.")
    ] = 1000,
    path: Annotated[
        str, typer.Option("--path", metavar="A/B", help="Show the tree below an element: MeterReading/Readings.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The tree as one JSON object.")] = False,
) -> None:
    """Show the tree of a noun's profile: each element, how often it may stand there, and what it holds.

    Without a noun: all nouns and Get profiles, with what each is for.
    """
    from gateway.rulebook import schema_set  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    schemas = schema_set(settings)
    if not name:
        _list(schemas, settings, as_json=as_json)
        return
    known = _known(schemas, name)
    if known == "OperationSet":
        _show_operation_set()
        return
    root = _below(_element(schemas, known), path)

    from gateway.validation.outline import outline  # noqa: PLC0415 - heavy

    tree = outline(root)
    if as_json:
        typer.echo(json.dumps({**_about(schemas, settings, known), "tree": _as_json(tree, depth)}))
        return
    _show_head(schemas, settings, known)
    _show_tree(tree, depth)


def _list(schemas: "SchemaSet", settings: "Settings", *, as_json: bool) -> None:
    nouns = [*sorted({*schemas.nouns, "OperationSet"}, key=str.lower), *sorted(schemas.profiles, key=str.lower)]
    known = bases(settings)
    rests_on = {name: known.get(schemas.namespace_of(name) or "", "") for name in nouns}
    if as_json:
        typer.echo(json.dumps([{"name": n, "about": sentence(n), "rests_on": rests_on[n] or None} for n in nouns]))
        return
    width = max(map(len, nouns)) + 3
    for name in nouns:
        mark = " *" if OWN in rests_on[name] else ""
        for number, line in enumerate(Text(sentence(name)).wrap(out, max(20, out.width - width))):
            line.rstrip()
            out.print(Text.assemble((printable(f"{name}{mark}" if number == 0 else "").ljust(width), "bold"), line))
    out.print("\n* a proposal of cimgate's, not the standard's profile")
    out.print("`cimgate noun NOUN` shows the tree of one, `cimgate example create NOUN` a message.", soft_wrap=True)


def _known(schemas: "SchemaSet", name: str) -> str:
    from gateway.validation.wording import nearest  # noqa: PLC0415 - heavy

    names = {*schemas.nouns, *schemas.profiles, "OperationSet"}
    if name in names:
        return name
    same = next((item for item in names if item.lower() == name.lower()), None)
    if same is not None:
        return same
    close = nearest(name, names)
    hint = f" Do you mean {close}?" if close else ""
    raise CommandError(f"There is no noun or Get profile '{name}'.{hint}", "`cimgate noun` lists them.")


def _element(schemas: "SchemaSet", name: str) -> "Element":
    space = schemas.namespace_of(name)
    model = None if space is None else schemas.model(space)
    element = None if model is None else model.element([f"{{{space}}}{name}"])
    if element is None:
        raise CommandError(f"The schema of {name} cannot be read well enough to show its tree.")
    return element


def _below(root: "Element", path: str) -> "Element":
    """Follow a path of element names; one that begins with the root's own name is understood as well."""
    from gateway.validation.wording import nearest  # noqa: PLC0415 - heavy

    steps = [step for step in path.split("/") if step]
    if steps[:1] == [root.local]:
        del steps[0]
    current = root
    for step in steps:
        content = current.type.content
        below = None if content is None else content.child(step)
        if below is None:
            names = [] if content is None else list(dict.fromkeys(e.local for e in content.elements()))
            close = nearest(step, names)
            hint = f" Do you mean {close}?" if close else ""
            advice = f"Its elements are {', '.join(names)}." if names else "It holds no elements."
            raise CommandError(f"{current.local} has no element '{step}'.{hint}", advice)
        current = below
    return current


def _about(schemas: "SchemaSet", settings: "Settings", name: str) -> dict[str, Any]:
    """Give what is to be known of a noun besides its tree."""
    from gateway.cli._envelopes import verbs_of  # noqa: PLC0415 - heavy
    from gateway.message.nouns import get_profile  # noqa: PLC0415 - heavy

    space = schemas.namespace_of(name) or ""
    about: dict[str, Any] = {
        "name": name,
        "about": sentence(name),
        "namespace": space,
        "rests_on": bases(settings).get(space) or "not stated",
    }
    if name in schemas.profiles:
        return about | {"parameters_of": f"get({name.removeprefix('Get')})"}
    profile = get_profile(name)
    return about | {
        "verbs": [verb.value for verb in verbs_of(name)],
        "get_profile": profile if profile in schemas.profiles else None,
    }


def _show_head(schemas: "SchemaSet", settings: "Settings", name: str) -> None:
    about = _about(schemas, settings, name)
    _show_sentence(name)
    lines = [("xmlns", about["namespace"]), ("rests on", about["rests_on"])]
    if "parameters_of" in about:
        lines.append(("used in", f"Request of {about['parameters_of']}"))
    else:
        profile = about["get_profile"]
        asked = f"{profile} in Request (cimgate noun {profile})" if profile else "Request.ID: there is no Get profile"
        lines += [("verbs", ", ".join(about["verbs"])), ("get with", asked)]
    for label, text in lines:
        show_indented(text, indent=2, label=label)
    out.print()


def _show_sentence(name: str) -> None:
    out.print(Text(printable(name), style="bold"))
    show_indented(sentence(name), indent=2)


def _show_operation_set() -> None:
    _show_sentence("OperationSet")
    show_indented(
        "It is a part of the envelope, not a profile: Payload/OperationSet/Operation, and in each Operation an "
        "operationId, a noun, a verb, elementOperation and one payload of that noun.",
        indent=2,
    )
    show_indented("`cimgate example execute MeterConfig` shows one.", indent=2)


def _show_tree(tree: "Node", depth: int) -> None:
    rows = list(_rows(tree, 0, depth))
    width = max(len(name) for name, *_ in rows)
    left = width + 8
    for name, times, kind, style in rows:
        room = max(_NARROWEST_KIND, out.width - left)
        wrapped = Text(printable(kind)).wrap(out, room) or [Text("")]
        for number, line in enumerate(wrapped):
            line.rstrip()
            head = (f"{name:<{width}}  ", style), (f"{times:<6}", "dim")
            out.print(Text.assemble(*(head if number == 0 else [" " * left]), line), soft_wrap=True)


def _rows(node: "Node", level: int, depth: int) -> "Iterator[tuple[str, str, str, str]]":
    """Give the lines of a tree: the indented name, occurrence, kind, and the style of the name."""
    style = "bold" if not node.occurs.startswith("0") else ""
    kind = node.kind if node.name else ""
    if node.values:
        kind += f" {', '.join(node.values)}"
    if node.same_as:
        kind += f"{', ' if kind else ''}as in {node.same_as}"
    hidden = len(node.children) if level >= depth else 0
    if hidden:
        kind += f"{', ' if kind else ''}{hidden} more inside"
    yield printable(" " * _STEP * level + (node.name or f"({node.kind})")), node.occurs, kind, style
    if hidden:
        return
    for child in (*_telling(node), *node.children):
        yield from _rows(child, level + 1, depth)


def _telling(node: "Node") -> "tuple[Node, ...]":
    """Give the attributes that the kind of the element does not tell already."""
    return () if node.kind.startswith("such as ref") and len(node.attributes) == 1 else node.attributes


def _as_json(node: "Node", depth: int, level: int = 0) -> dict[str, Any]:
    known = {
        "name": node.name or None,
        "occurs": node.occurs,
        "kind": node.kind or None,
        "values": list(node.values),
        "same_as": node.same_as or None,
        "attributes": [_as_json(attribute, depth, level) for attribute in node.attributes],
        "children": [_as_json(child, depth, level + 1) for child in node.children] if level < depth else [],
    }
    return {key: value for key, value in known.items() if value}
