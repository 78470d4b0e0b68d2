"""`cimgate validate`: the verdict on messages in files, without a broker."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._inputs import Input, inputs
from gateway.cli._shared import ExitCode, app, command, counted, load_settings, out, printable

if TYPE_CHECKING:
    from gateway.dialects import Interpreter
    from gateway.message import Finding, Message
    from gateway.validation import Checker

_MOST_SHOWN: Final = 20
"""Faults shown of one file; a document with hundreds has mostly one cause."""

_STYLES: Final = {"ok": "green", "ok, repaired": "cyan", "ok with warnings": "yellow", "refused": "bold red"}
"""What may be said of a message, and its colour."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One input and what was found; `message` is None where the bytes are none."""

    name: str
    raw: bytes
    message: "Message | None"
    findings: "tuple[Finding, ...]"
    ok: bool


@command(app)
def validate(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="FILE|DIR|-...", help="XML files, folders of *.xml, or - .")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a file, on a line of its own.")] = False,
    context: Annotated[
        str | None, typer.Option(metavar="CONTEXT", help="Also refuse a Header.Context other than this one.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Name the refused files, nothing more.")] = False,
) -> None:
    """Check messages as the gateway does, and say of each fault where it is and what to do.

    Exit status: 0 if all may pass (warnings included), 1 if one is refused, 2 if one cannot be read.
    """
    from gateway.rulebook import checker, interpreter, schema_set  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    found = inputs(names)
    schemas = schema_set(settings)
    check = checker(settings, schemas, context)
    read = interpreter(settings, schemas, check)
    counts = dict.fromkeys(_STYLES, 0)
    for item in found:
        judged = judge(item, read, check)
        state = _state(judged)
        counts[state] += 1
        if as_json:
            typer.echo(json.dumps(_as_json(judged)))
        elif not quiet or not judged.ok:
            _show(judged, state, blocks=not quiet)
    if not as_json and not quiet:
        rest = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        out.print(Text(f"{counted(len(found), 'message')} checked: {rest}", style="bold"))
    if counts["refused"]:
        raise typer.Exit(ExitCode.NOT_FINE)


def judge(item: Input, interpreter: "Interpreter", checker: "Checker") -> Judged:
    """Read one input in the dialect of its source, and check it."""
    from gateway.message import Unreadable  # noqa: PLC0415 - heavy

    raw = item.read()
    try:
        message = interpreter.read(raw)
    except Unreadable as error:
        return Judged(item.name, raw, None, (error.finding,), ok=False)
    verdict = checker.check(message)
    return Judged(item.name, raw, message, (*message.repairs, *verdict.findings), verdict.ok)


def _state(judged: Judged) -> str:
    if not judged.ok:
        return "refused"
    if any(finding.severity == "warning" for finding in judged.findings):
        return "ok with warnings"
    return "ok, repaired" if judged.findings else "ok"


def _show(judged: Judged, state: str, *, blocks: bool) -> None:
    from gateway.cli._excerpt import lines_of  # noqa: PLC0415 - heavy
    from gateway.cli._faults import show_finding  # noqa: PLC0415 - heavy

    line = Text.assemble((state, _STYLES[state]), "  ", (judged.name, "bold"))
    if judged.message is not None:
        line.append(f"  {described(judged.message)}", style="dim")
    out.print(line, soft_wrap=True)
    if not blocks or not judged.findings:
        return
    lines = lines_of(judged.raw)
    for finding in judged.findings[:_MOST_SHOWN]:
        show_finding(finding, lines)
    if (more := len(judged.findings) - _MOST_SHOWN) > 0:
        out.print(Text(f"  and {counted(more, 'finding')} more; --json lists all\n", style="dim"))


def described(message: "Message") -> str:
    """Give a message in a few words: `EventMessage created(EndDeviceEvents)`."""
    header = message.header
    what = f"{message.kind} {header.verb}({header.noun})" if header.verb else str(message.kind)
    return printable(what + (", draft namespace" if message.version.name == "DRAFT" else ""))


def _as_json(judged: Judged) -> dict[str, Any]:
    message = judged.message
    return {
        "file": judged.name,
        "ok": judged.ok,
        "kind": message and message.kind,
        "verb": message and (message.header.verb or None),
        "noun": message and (message.header.noun or None),
        "envelope": message and message.version.name.lower(),
        "findings": [
            {
                "severity": finding.severity,
                "rule": finding.rule,
                "code": finding.code,
                "meaning": finding.code.meaning,
                "text": finding.text,
                "advice": finding.advice,
                "line": finding.line,
                "xpath": finding.xpath,
                "element": finding.element,
                "found": finding.found,
                "allowed": finding.allowed,
            }
            for finding in judged.findings
        ],
    }
