"""What all commands share: the app, the consoles, the settings, and how an error becomes an exit code.

Nothing heavy is imported here or at the top of a command's file: `cimgate --help` must answer at once.
"""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from gateway.masking import mask

if TYPE_CHECKING:
    from gateway.settings import Loaded, Settings

P = ParamSpec("P")
R = TypeVar("R")

app = typer.Typer(
    name="cimgate",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks print local variables, secrets among them
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_MOST_LINES: Final = 10

# Everything printed goes in as Text or escaped: what comes from messages must not act as markup.
out = Console(highlight=False)
err = Console(highlight=False, stderr=True)


class ExitCode(IntEnum):
    """What the shell gets."""

    FINE = 0
    NOT_FINE = 1
    USAGE = 2
    BROKER = 3


class CommandError(Exception):
    """An expected end of a command: one line that says what is wrong, what to do about it, and the exit code."""

    def __init__(self, text: str, advice: str = "", code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(text)
        self.text = text
        self.advice = advice
        self.code = code


@dataclass(frozen=True, slots=True)
class Options:
    """The options that stand before the command."""

    config: Path | None = None
    log_level: str | None = None


def load_settings(ctx: typer.Context, **arguments: object) -> "Settings":
    """Read the settings as every command does; `arguments` are a command's own options, None where not given.

    Raises `SettingsError`, which `command` turns into exit code 2.
    """
    return trace_settings(ctx, **arguments).settings


def trace_settings(ctx: typer.Context, **arguments: object) -> "Loaded":
    """Read the settings with the source of each."""
    from gateway.settings import trace  # noqa: PLC0415 - see the head of the file

    options = ctx.find_object(Options) or Options()
    return trace(options.config, **{"log_level": options.log_level, **arguments})


def command(group: typer.Typer, name: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a command of `group` whose expected errors end in a clear line and an exit code."""

    def register(function: Callable[P, R]) -> Callable[P, R]:
        return group.command(name)(handled(function))

    return register


def handled(function: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors that a user can mend into a line on stderr and an exit code; others stay tracebacks."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            expected = _expected(error)
            if expected is None:
                raise
            complain(expected.text, expected.advice)
            raise typer.Exit(expected.code) from error

    return run


def complain(text: str, advice: str = "") -> None:
    """Say on stderr what is wrong and what to do; several lines of `text` are several faults."""
    for line in text.splitlines():
        err.print(Text.assemble(("cimgate: ", "bold red"), printable(mask(line))), soft_wrap=True)
    if advice:
        err.print(Text(printable(advice)), soft_wrap=True)


def printable(text: str) -> str:
    """Replace what a terminal would act on or cannot show: control characters, broken encodings."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c in "\t\n\r" else "\N{REPLACEMENT CHARACTER}" for c in text)


def show_indented(text: str, *, indent: int = 4, label: str = "", style: str = "") -> None:
    """Print a text wrapped to the terminal, every line indented, after a label on the first where there is one."""
    width = 9 if label else 0
    for number, line in enumerate(Text(printable(text), style=style).wrap(out, max(20, out.width - indent - width))):
        line.rstrip()
        head = label if number == 0 else ""
        out.print(Text.assemble(" " * indent, (f"{head:<{width}}", "dim"), line), soft_wrap=True)


def counted(number: int, what: str) -> str:
    """Give `1 error`, `2 errors`, `no errors`."""
    return f"{f'{number:,}' if number else 'no'} {what}{'' if number == 1 else 's'}"


def _expected(error: Exception) -> CommandError | None:
    if isinstance(error, CommandError):
        return error
    # The classes are looked up in what is loaded: an error cannot come from a module that nobody imported.
    if (
        _is_one_of(error, "gateway.settings", "SettingsError")
        or _is_one_of(error, "gateway.resources", "ResourceError")
        or _is_one_of(error, "gateway.validation", "SchemaError")
        or _is_one_of(error, "gateway.feed", "FeedUnavailable")
    ):
        return CommandError(str(error))
    if _is_one_of(error, "gateway.routing", "RoutingError"):
        return _bad_routes(str(error).splitlines())
    if _is_one_of(
        error, "gateway.broker", "BrokerUnreachable", "LoginRefused", "SessionLost", "TopologyError"
    ) or _is_one_of(error, "gateway.store", "StoreUnavailable", "StoreUnusable"):
        return CommandError(str(error), code=ExitCode.BROKER)
    return None


def _bad_routes(problems: list[str]) -> CommandError:
    left_out = len(problems) - _MOST_LINES
    advice = f"and {counted(left_out, 'fault')} more: `cimgate routes check` lists all." if left_out > 0 else ""
    return CommandError("\n".join(problems[:_MOST_LINES]), advice, ExitCode.NOT_FINE)


def _is_one_of(error: Exception, module: str, *names: str) -> bool:
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(error, tuple(getattr(loaded, name) for name in names))
