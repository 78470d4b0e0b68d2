"""Logging: lines for people on a terminal, JSON lines for log stores; always to stderr, UTC, without passwords."""

import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

import structlog

from gateway.masking import mask

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from gateway.message import Header

_LONGEST_ID: Final = 200
"""Characters of a header's value that a log line shows: headers come from strangers."""


def configure(level: str = "info", log_format: str = "auto", stream: TextIO | None = None) -> None:
    """Set up logging for this process; a second call replaces the first.

    `level` is debug, info, warning or error; `log_format` auto, console or json, auto being console on a terminal.
    Libraries that use the standard library's logging share the chain, from WARNING on. Ids and the like set with
    `structlog.contextvars` appear on every line.
    """
    out = sys.stderr if stream is None else stream
    terminal = out.isatty()
    console = log_format == "console" or (log_format == "auto" and terminal)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    render: list[Processor]
    if console:
        colours = terminal and not os.environ.get("NO_COLOR")
        plain = structlog.dev.plain_traceback  # the pretty one prints local variables, secrets among them
        console_lines = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, sort_keys=False)
        render = [_without_passwords, _printable, console_lines]
    else:
        render = [_without_passwords, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(threshold, logging.WARNING), force=True)
    # What the client says of a lost connection is said by the session in our words, with what follows from it.
    logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)


def about(header: "Header | None", **more: object) -> dict[str, Any]:
    """Give what every line about a message carries: message_id, correlation_id, verb, noun and source.

    All five are always there, None where they are not known (an unreadable message has no header). `more` adds to
    them or fills them in, e.g. with the message_id that an AMQP property told.
    """
    context: dict[str, Any] = dict.fromkeys(("message_id", "correlation_id", "verb", "noun", "source"))
    if header is not None:
        context = {
            "message_id": _short(header.message_id),
            "correlation_id": _short(header.correlation_id),
            "verb": _short(header.verb),
            "noun": _short(header.noun),
            "source": _short(header.source),
        }
    context.update(more)
    return context


def _short(value: str | None) -> str | None:
    if value is None or len(value) <= _LONGEST_ID:
        return value or None
    return value[:_LONGEST_ID] + "..."


def _without_passwords(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    for key, value in event.items():
        event[key] = _masked(value)
    return event


def _masked(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return mask(value)
        case dict():
            return {key: _masked(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_masked(inner) for inner in value]
        case _:
            return mask(repr(value))  # what the renderers would do: URL objects and exceptions quote passwords


def _printable(_logger: "WrappedLogger", _method: str, event: "EventDict") -> "EventDict":
    # A header with line breaks or escape sequences must not forge lines or colours on somebody's terminal.
    for key, value in event.items():
        if key not in ("exception", "stack") and isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value)
    return event
