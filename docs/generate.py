"""Writes docs/reference.md from the code: `python -m docs.generate`."""

# ruff: noqa: INP001 - a folder of texts, no package

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

from docs._words import (
    CODES_TEXT,
    CONSTRAINTS_TEXT,
    DEAD_HEADERS,
    DEAD_LETTERS_TEXT,
    EXIT_CODES,
    REASONS,
    RULES_TEXT,
    SETTINGS_TEXT,
    TOPOLOGY_TEXT,
)
from gateway import resources
from gateway.cli import app
from gateway.codes import ReplyCode
from gateway.message import MessageKind
from gateway.message.nouns import PART9_NOUNS
from gateway.message.verbs import DEPRECATED, EVENT_OF, VERBS_OF
from gateway.rulebook import route_table
from gateway.settings import Settings
from gateway.validation import READING_RULES, RULES, WAY_RULES, SchemaSet
from gateway.wiring import topology

FILE: Final = Path(__file__).with_name("reference.md")
_MIB: Final = 1024 * 1024
_CONFIDENCE: Final = re.compile(r"Confidence: (.*?)\.\s", re.DOTALL)


def reference() -> str:
    """Give the text of docs/reference.md."""
    sections = (_head, _commands, _settings, _rules, _codes, _verbs, _schemas, _dead_letters, _topology)
    return "\n\n".join("\n".join(section()) for section in sections) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(' '.join(str(cell).replace('|', chr(92) + '|').split()) for cell in row)} |"


def _head() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield "Written from the code by `python -m docs.generate`; change the code, not this page."
    yield ""
    titles = ("Commands", "Settings", "Rules", "Reply codes", "Verbs", "Schemas", "Dead letters", "Topology")
    yield " · ".join(f"[{title}](#{title.lower().replace(' ', '-')})" for title in titles)


def _commands() -> Iterator[str]:
    yield "## Commands"
    yield ""
    yield from _command("cimgate", typer.main.get_command(app))
    yield "### Exit status"
    yield ""
    yield from _table(("status", "meaning"), EXIT_CODES.items())


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer carries a click of its own inside
    inner = getattr(command, "commands", {})
    alone = getattr(command, "invoke_without_command", False)
    if not inner or alone or name == "cimgate":
        yield f"### {name}"
        yield ""
        arguments = [p.metavar or p.name.upper() for p in command.params if not hasattr(p, "is_flag")]
        usage = [name, *(["[OPTIONS]"] if command.params[len(arguments) :] else []), *arguments]
        yield f"    {' '.join([*usage, '[COMMAND]' if alone else 'COMMAND'] if inner else usage)}"
        yield ""
        yield re.sub(r"(?<!\n)\n(?!\n)", " ", command.help)
        yield ""
        rows = [(f"`{_option(p)}`", _default(p.default), p.help) for p in command.params if p.help]
        if rows:
            yield from _table(("option", "default", "meaning"), rows)
            yield ""
    for word, part in sorted(inner.items()):
        yield from _command(f"{name} {word}", part)


def _option(parameter: Any) -> str:  # noqa: ANN401 - see _command
    if not hasattr(parameter, "is_flag"):
        return str(parameter.metavar)
    value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
    return ", ".join(parameter.opts) + value


def _default(value: object) -> str:
    if value is None or value is False or value == "":
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _settings() -> Iterator[str]:
    yield "## Settings"
    yield ""
    yield SETTINGS_TEXT
    yield ""
    properties: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]
    rows = (
        (f"`{name}`", _written(field.get_default()), _allowed(name, properties[name]), field.description)
        for name, field in Settings.model_fields.items()
    )
    yield from _table(("setting", "default", "allowed", "meaning"), rows)


def _written(value: Any) -> str:  # noqa: ANN401 - any setting's default
    if value is None:
        return "not set"
    if hasattr(value, "shown"):
        return f"`{value.shown()}`"
    if hasattr(value, "get_secret_value"):
        return f"`{value.get_secret_value()}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int) and value % _MIB == 0:
        return f"{value // _MIB} MiB"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _allowed(name: str, schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "pattern" in schema:
        return f"`{schema['pattern']}`"
    if "exclusiveMinimum" in schema:
        return f"more than {schema['exclusiveMinimum']:g}"
    if "maximum" in schema:
        return f"{schema['minimum']} to {schema['maximum']}"
    if "minimum" in schema:
        return f"at least {schema['minimum']}" + (" byte" if name.endswith("_bytes") else "")
    return ""


def _rules() -> Iterator[str]:
    yield "## Rules"
    yield ""
    yield RULES_TEXT
    yield ""
    rows = (
        (
            f"`{rule.id}`",
            " or ".join((rule.code, *rule.other_codes)),
            rule.severity,
            rule.summary,
            rule.source + (" [inferred]" if rule.inferred else ""),
            f"no: {rule.fixed}" if rule.fixed else "yes",
        )
        for rule in RULES
    )
    yield from _table(("rule", "code", "usually", "demands", "rests on", "level can be set"), rows)
    yield ""
    yield "Rules of reading, which come before all checks, and of the way through the gateway. All of them are errors."
    yield ""
    others = (
        (f"`{rule.id}`", " or ".join((rule.code, *rule.other_codes)), rule.summary)
        for rule in (*READING_RULES, *WAY_RULES)
    )
    yield from _table(("rule", "code", "demands"), others)
    yield ""
    yield CONSTRAINTS_TEXT


def _codes() -> Iterator[str]:
    sent = {code for rule in (*RULES, *READING_RULES, *WAY_RULES) for code in (rule.code, *rule.other_codes)}
    yield "## Reply codes"
    yield ""
    yield CODES_TEXT
    yield ""
    rows = ((code.value, code.meaning, "yes" if code in sent else "") for code in ReplyCode)
    yield from _table(("code", "meaning", "given by the gateway"), rows)


def _verbs() -> Iterator[str]:
    yield "## Verbs"
    yield ""
    rows = [("get", "")] + [(request.value, event.value) for request, event in EVENT_OF.items()]
    yield from _table(("in a RequestMessage", "in an EventMessage"), rows)
    yield ""
    replies = ", ".join(sorted(VERBS_OF[MessageKind.RESPONSE]))
    yield f"A ResponseMessage has the verb {replies}. A one-way request (AckRequired=false) may have an event's verb."
    yield ""
    yield "Words of drafts and habits, refused with what to use instead (`verb-deprecated`):"
    yield ""
    yield from _table(("word", "use"), DEPRECATED.items())


def _schemas() -> Iterator[str]:
    yield "## Schemas"
    yield ""
    sources = resources.schema_sources()
    rows = []
    for name, raw in sorted(sources.items()):
        said = _CONFIDENCE.search(raw.decode())
        rows.append((f"`{name}`", f"`{resources.target_namespace(raw, name)}`", said[1] if said else "not stated"))
    yield from _table(("file", "namespace", "based on"), rows)
    lacking = sorted(PART9_NOUNS - SchemaSet(sources).nouns)
    if lacking:
        yield ""
        yield f"Without a schema, so refused as `noun-unknown` unless the site adds one: {', '.join(lacking)}."


def _dead_letters() -> Iterator[str]:
    yield "## Dead letters"
    yield ""
    yield DEAD_LETTERS_TEXT
    yield ""
    yield from _table(("reason", "meaning"), ((f"`{reason}`", text) for reason, text in REASONS.items()))
    yield ""
    yield from _table(("header", "meaning"), ((f"`{header}`", text) for header, text in DEAD_HEADERS.items()))


def _topology() -> Iterator[str]:
    settings = Settings()
    wanted = topology(settings, route_table(settings))
    yield "## Topology"
    yield ""
    yield TOPOLOGY_TEXT
    yield ""
    rows = (
        (f"`{exchange.name}`", exchange.type, exchange.purpose, f"`{exchange.alternate}`" if exchange.alternate else "")
        for exchange in wanted.exchanges
    )
    yield from _table(("exchange", "type", "what for", "alternate exchange"), rows)
    yield ""
    yield from _table(("queue", "what for"), ((f"`{queue.name}`", queue.purpose) for queue in wanted.queues))
    yield ""
    bindings = ((f"`{b.exchange}`", f"`{b.key}`" if b.key else "any", f"`{b.target}`") for b in wanted.bindings)
    yield from _table(("from exchange", "routing key", "to"), bindings)
    yield ""
    yield "Policies, which the definitions have and the gateway itself does not declare:"
    yield ""
    policies = (
        (
            f"`{policy['name']}`",
            f"`{policy['pattern']}`",
            ", ".join(f"`{k}: {v}`" for k, v in policy["definition"].items()),
        )
        for policy in wanted.definitions()["policies"]
    )
    yield from _table(("policy", "queues", "sets"), policies)


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
