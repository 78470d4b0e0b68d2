"""A dead letter's message in an editor, and the verdict on what came out of it."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.text import Text

from gateway.cli._excerpt import lines_of
from gateway.cli._faults import show_finding
from gateway.cli._shared import CommandError, ExitCode, counted, err, out
from gateway.message import Finding, Header, Severity, Unreadable
from gateway.message.redacting import redact
from gateway.rulebook import checker, interpreter, masks, schema_set

if TYPE_CHECKING:
    from gateway.settings import Settings

_MOST_SHOWN: Final = 10


def edited(body: bytes, editor: str | None) -> bytes:
    """Let a person change bytes in an editor. Raises `CommandError` where it fails, or nothing was changed."""
    used = editor or os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    descriptor, name = tempfile.mkstemp(prefix="cimgate-dead-", suffix=".xml")  # for this user's eyes alone
    file = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(body)
        try:
            ended = subprocess.run([*shlex.split(used), name], check=False)  # noqa: S603 - the user's own editor
        except (OSError, ValueError) as error:
            raise CommandError(
                f"The editor {used!r} cannot be started: {error}.", "Name one: --editor, or EDITOR; or --file FILE."
            ) from error
        if ended.returncode:
            raise CommandError(f"The editor {used!r} ended with status {ended.returncode}: nothing was sent.")
        after = file.read_bytes()
    finally:
        file.unlink(missing_ok=True)
    if after == body:
        raise CommandError(
            "Nothing was changed, and nothing was sent.", "`cimgate dead retry` sends it as it is.", ExitCode.NOT_FINE
        )
    return after


def checked(settings: "Settings", body: bytes, *, force: bool, keep: bool) -> Header | None:
    """Give the header of a message that the gateway would take; shows what is found in it.

    Raises `CommandError` where it is not valid, unless `force`; with `keep` the work is kept in a file, which it names.
    """
    schemas = schema_set(settings)
    check = checker(settings, schemas, settings.context)
    findings: tuple[Finding, ...]
    header: Header | None = None
    try:
        message = interpreter(settings, schemas, check).read(body)
        header = message.header
        findings = (*message.repairs, *check.check(message).findings)
    except Unreadable as error:
        findings = (error.finding,)
    for finding in findings[:_MOST_SHOWN]:
        show_finding(finding, lines_of(body))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors and not force:
        kept = ""
        if keep:
            descriptor, kept = tempfile.mkstemp(prefix="cimgate-dead-", suffix=".xml")
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
        advice = f"Your work is in {kept}: mend it, then --file {kept}. " if kept else ""
        raise CommandError(
            f"It is still not valid ({counted(len(errors), 'error')}): nothing was sent.",
            f"{advice}--force sends it all the same.",
            ExitCode.NOT_FINE,
        )
    if errors:
        err.print(Text("Sent all the same: --force."))
    elif not findings:
        out.print("The message is valid.")
    return header


def keepable(settings: "Settings", body: bytes, noun: str) -> bytes | None:
    """Give what the journal may keep of a message: without the personal data that the settings mask."""
    return redact(body, masks(settings, schema_set(settings)), noun=noun, limits=settings.limits()).body
