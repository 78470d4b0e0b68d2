"""`cimgate validate`: the verdict on messages in files, without a broker."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from gateway.cli._inputs import Chunks, Input, inputs
from gateway.cli._shared import ExitCode, app, command, counted, load_settings, out, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dialects import Interpreter
    from gateway.message import Finding, Message
    from gateway.validation import Checker

_MOST_SHOWN: Final = 20
"""Faults shown of one file; a document with hundreds has mostly one cause."""

_STYLES: Final = {"ok": "green", "ok, repaired": "cyan", "ok with warnings": "yellow", "refused": "bold red"}
"""What may be said of a message, and its colour."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One input and what was found; `message` is None where the bytes are none.

    A large one was judged in a stream: it has no `raw` bytes but `chunks`, which read it again.
    """

    name: str
    raw: bytes
    message: "Message | None"
    findings: "tuple[Finding, ...]"
    ok: bool
    chunks: Chunks | None = None


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
        with item.content(read.limits.message_bytes) as content:
            judged = _judge(item.name, content, read, check)
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
    """Read one input in the dialect of its source, and check it; one that is too large is refused."""
    return _judge(item.name, item.read(), interpreter, checker)


def _judge(name: str, content: bytes | Chunks, interpreter: "Interpreter", checker: "Checker") -> Judged:
    from gateway.message import Unreadable  # noqa: PLC0415 - heavy

    if not isinstance(content, bytes):
        return _judge_large(name, content, interpreter, checker)
    try:
        message = interpreter.read(content)
    except Unreadable as error:
        return Judged(name, content, None, (error.finding,), ok=False)
    verdict = checker.check(message)
    return Judged(name, content, message, (*message.repairs, *verdict.findings), verdict.ok)


def _judge_large(name: str, chunks: Chunks, interpreter: "Interpreter", checker: "Checker") -> Judged:
    from gateway.cli._large import judge_large  # noqa: PLC0415 - heavy

    message, findings = judge_large(chunks, interpreter, checker, interpreter.limits)
    ok = message is not None and all(finding.severity != "error" for finding in findings)
    return Judged(name, b"", message, findings, ok, chunks)


def _state(judged: Judged) -> str:
    if not judged.ok:
        return "refused"
    if any(finding.severity == "warning" for finding in judged.findings):
        return "ok with warnings"
    return "ok, repaired" if judged.findings else "ok"


def _show(judged: Judged, state: str, *, blocks: bool) -> None:
    from gateway.cli._excerpt import SomeLines, lines_of  # noqa: PLC0415 - heavy
    from gateway.cli._faults import show_finding  # noqa: PLC0415 - heavy

    line = Text.assemble((state, _STYLES[state]), "  ", (judged.name, "bold"))
    if judged.message is not None:
        line.append(f"  {described(judged.message)}", style="dim")
    if judged.chunks is not None and judged.message is not None:
        line.append(", streamed", style="dim")
    out.print(line, soft_wrap=True)
    if not blocks or not judged.findings:
        return
    shown = judged.findings[:_MOST_SHOWN]
    if judged.chunks is None:
        lines: Sequence[str] = lines_of(judged.raw)
    else:
        lines = SomeLines(judged.chunks(), {finding.line - 1 for finding in shown if finding.line is not None})
    for finding in shown:
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
        "streamed": judged.chunks is not None and message is not None,
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
