"""From the TOML of one route file to a system and its routes, with every fault noted where it stands."""

import re
import tomllib
from collections.abc import Collection
from typing import Any, Final

from gateway.codes.patterns import BadPattern, CodeKind, CodePattern, parse_pattern
from gateway.message.nouns import OPERATION_SET
from gateway.message.verbs import DEPRECATED, EVENT_VERBS, REQUEST_VERBS, Verb
from gateway.routing.coverage import never_fires, shadowing
from gateway.routing.fields import Table
from gateway.routing.problems import Problem, nearest
from gateway.routing.routes import ANY, CODE_KEYS, PropertyValues, Route, RouteOptions, System, can_occur
from gateway.routing.toml_lines import TomlLines

_SYSTEM_KEYS: Final = ("name", "address", "sources", "dialect")
_ROUTE_KEYS: Final = (
    *("name", "note", "noun", "verbs", "contexts", "sources", "not_sources", "properties", "not_properties"),
    *CODE_KEYS.values(),
    *("timeout", "replies", "publish", "undo", "journal"),
)
_REPLIES: Final = ("stream", "stream-ok", "aggregate")
_PUBLISH: Final = ("never", "on-success")
_UNDO: Final = ("creates", "by-get")
_JOURNAL: Final = ("full", "headers", "off")
_VERBS: Final = (*sorted(REQUEST_VERBS), *sorted(EVENT_VERBS))
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_ADDRESS: Final = re.compile(r"queue:(?!amq\.)[^\s:]{1,255}")
_ERROR_LINE: Final = re.compile(r"at line (\d+)")


class RouteFile:
    """One route file. After reading, `system` is None where it has none that can be used."""

    def __init__(self, file: str, text: str, nouns: Collection[str]) -> None:
        self.system: System | None = None
        self.name_line = 1
        self.routes: list[Route] = []
        self.problems: list[Problem] = []
        self._file = file
        self._nouns = frozenset(nouns) | {OPERATION_SET}
        self._lines = TomlLines(text)
        try:
            self._read(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            self._not_toml(error, text)

    def _not_toml(self, error: tomllib.TOMLDecodeError, text: str) -> None:
        place = _ERROR_LINE.search(str(error))
        line = int(place[1]) if place else max(1, len(text.rstrip().splitlines()))
        reason = str(error).partition(" (at ")[0].rstrip(".")
        self._problem(line, f"This is not TOML: {reason}.", "Mend the line; until then nothing of the file is read.")

    def _problem(self, line: int, text: str, advice: str) -> None:
        self.problems.append(Problem(self._file, line, text, advice))

    def _read(self, document: dict[str, Any]) -> None:
        for key in document:
            if key not in ("system", "route"):
                guess = nearest(key, ("system", "route"))
                line = self._lines.table(key)
                advice = f"Did you mean {guess}?" if guess else "A route file has [system] and [[route]]."
                self._problem(line, f"A route file has no '{key}'.", advice)
        self._read_system(document.get("system"))
        routes = document.get("route", [])
        if not isinstance(routes, list) or not all(isinstance(route, dict) for route in routes):
            line = self._lines.table("route")
            self._problem(line, "route is not a list of tables.", "Write [[route]], with two brackets, above each.")
            return
        for number, values in enumerate(routes):
            self._read_route(number, Table(self._file, self._lines, ("route", number), values))

    def _read_system(self, values: object) -> None:
        if values is None:
            self._problem(1, "The file names no system.", 'Begin with [system] and name = "...".')
            return
        if not isinstance(values, dict):
            line = self._lines.table("system")
            self._problem(line, "system is not a table.", "Write [system], with one bracket: a file has one system.")
            return
        table = Table(self._file, self._lines, ("system", 0), values)
        table.only(_SYSTEM_KEYS, "[system]")
        name, address, dialect = table.text("name"), table.text("address"), table.text("dialect")
        sources = table.texts("sources")
        if not table.has("name"):
            table.fault("name", "The system has no name.", 'Write name = "..." below [system].')
        elif name is not None and not _NAME.fullmatch(name):
            advice = "Use letters, digits, '_', '.' and '-': the name becomes part of a queue's name."
            table.fault("name", f"'{name}' cannot be a system's name.", advice)
        if address is not None and not _ADDRESS.fullmatch(address):
            table.fault("address", f"The address '{address}' cannot be delivered to.", _address_advice(address))
        self.problems += table.problems
        self.name_line = self._lines.key("system", 0, "name")
        if name is not None:
            line = self._lines.key("system", 0, "dialect")
            address = address or f"queue:cim.{name}"
            self.system = System(name, address, sources or (name,), self._file, dialect or "", line)

    def _read_route(self, number: int, table: Table) -> None:
        table.only(_ROUTE_KEYS, "[[route]]")
        nouns, verbs = self._nouns_of(table), self._verbs_of(table)
        if nouns and verbs:
            self._check_pairs(table, nouns, verbs)
        route = Route(
            system=self.system or System("", "", (), self._file),
            number=number + 1,
            line=table.line,
            nouns=nouns,
            verbs=verbs,
            pairs=frozenset((n, v) for n in self._spelt_out(nouns) for v in _spelt_out(verbs) if can_occur(n, v)),
            name=table.text("name") or "",
            note=table.text("note") or "",
            contexts=self._exact(table, "contexts"),
            sources=self._exact(table, "sources"),
            not_sources=self._exact(table, "not_sources"),
            properties=_properties_of(table, "properties"),
            not_properties=_properties_of(table, "not_properties"),
            events=_patterns_of(table, CodeKind.EVENT),
            controls=_patterns_of(table, CodeKind.CONTROL),
            readings=_patterns_of(table, CodeKind.READING),
            options=_options_of(table),
        )
        if not table.problems:
            self._check_reach(table, route)
        if not table.problems:
            self.routes.append(route)
        self.problems += table.problems

    def _spelt_out(self, nouns: tuple[str, ...]) -> Collection[str]:
        return self._nouns if ANY in nouns else nouns

    def _nouns_of(self, table: Table) -> tuple[str, ...]:
        if not table.has("noun"):
            table.fault("noun", "The route has no noun.", 'Write noun = "...", or noun = "*" for all.')
        nouns = table.texts("noun", single=True)
        for noun in nouns:
            if noun != ANY and noun not in self._nouns:
                guess = nearest(noun, self._nouns)
                advice = f"Did you mean {guess}?" if guess else f"The nouns are {', '.join(sorted(self._nouns))}."
                table.fault("noun", f"There is no noun '{noun}'.", advice, noun)
        return nouns

    def _verbs_of(self, table: Table) -> tuple[str, ...]:
        if not table.has("verbs"):
            table.fault("verbs", "The route has no verbs.", 'Write verbs = ["..."], or verbs = ["*"] for all.')
        verbs = table.texts("verbs")
        for verb in verbs:
            if verb == Verb.REPLY:
                advice = "A reply goes to the conversation that it answers; leave the verb out."
                table.fault("verbs", "The verb reply never reaches the routes.", advice, verb)
            elif verb != ANY and verb not in _VERBS:
                table.fault("verbs", f"There is no verb '{verb}'.", _verb_advice(verb), verb)
        return verbs

    def _check_pairs(self, table: Table, nouns: tuple[str, ...], verbs: tuple[str, ...]) -> None:
        advice = "execute and executed go with OperationSet, and OperationSet goes with no other verb."
        for verb in verbs:
            if verb in _VERBS and not any(can_occur(noun, verb) for noun in self._spelt_out(nouns)):
                table.fault("verbs", f"No message has the verb {verb} with the nouns of this route.", advice, verb)
        for noun in nouns:
            if noun in self._nouns and not any(can_occur(noun, verb) for verb in _spelt_out(verbs)):
                table.fault("noun", f"No message has the noun {noun} with the verbs of this route.", advice, noun)

    def _exact(self, table: Table, key: str) -> tuple[str, ...]:
        values = table.texts(key)
        if ANY in values:
            advice = (
                "Leave the key out to take every value; wildcards stand only for nouns, verbs, properties and codes."
            )
            table.fault(key, f"{key} takes no '*'.", advice, ANY)
        return values

    def _check_reach(self, table: Table, route: Route) -> None:
        if reason := never_fires(route):
            table.fault("", f"Route {route.number} can never fire: {reason}.", "Change its criteria or remove it.")
            return
        shadows = shadowing(route, self.routes)
        if shadows:
            which = " and ".join(f"route {other.number} (line {other.line})" for other in shadows)
            table.fault(
                "",
                f"Route {route.number} can never fire: {which} before it takes all that it matches.",
                "Move it up, make the earlier one narrower, or remove it.",
            )


def _spelt_out(verbs: tuple[str, ...]) -> Collection[str]:
    return _VERBS if ANY in verbs else verbs


def _properties_of(table: Table, key: str) -> tuple[PropertyValues, ...]:
    return tuple(PropertyValues(name, values) for name, values in table.table(key).items())


def _patterns_of(table: Table, kind: CodeKind) -> tuple[CodePattern, ...]:
    patterns: list[CodePattern] = []
    key = CODE_KEYS[kind]
    for text in table.texts(key):
        try:
            patterns.append(parse_pattern(kind, text))
        except BadPattern as error:
            example = ".".join("*" * kind.parts)
            advice = f"Write {kind.parts} numbers or * with dots between them, like {example}."
            table.fault(key, f"'{text}' is no pattern of {key}: {error}.", advice, text)
    return tuple(patterns)


def _verb_advice(verb: str) -> str:
    instead = DEPRECATED.get(verb.strip().casefold())
    if instead == Verb.REPLY:
        return "It is an earlier word for reply, and replies never reach the routes."
    if instead is not None:
        return f"It is a word of earlier drafts; use {instead}."
    guess = nearest(verb, _VERBS)
    return f"Did you mean {guess}?" if guess else f"The verbs are {', '.join(_VERBS)}."


def _address_advice(address: str) -> str:
    kind = address.partition(":")[0].casefold()
    if kind in ("topic", "http", "https"):
        return f"Systems are reached by queue for now, not by {kind}: write queue:NAME, or leave the address out."
    if address.startswith("queue:amq."):
        return "Queue names that begin with amq. belong to the broker: choose another."
    return "Write queue:NAME without spaces, or leave the address out for queue:cim.<name of the system>."


def _options_of(table: Table) -> RouteOptions:
    """Read how conversations by this route are held."""
    timeout = table.number("timeout")
    if timeout is not None and timeout <= 0:
        table.fault("timeout", f"The timeout is {timeout:g} seconds.", "Write a number of seconds above 0.")
    replies, publish, undo = table.text("replies"), table.text("publish"), table.text("undo")
    journal = table.text("journal")
    words = (("replies", replies, _REPLIES), ("publish", publish, _PUBLISH), ("undo", undo, _UNDO))
    for key, word, known in (*words, ("journal", journal, _JOURNAL)):
        if word is not None and word not in known:
            table.fault(key, f"{key} cannot be '{word}'.", f"Write one of {', '.join(known)}.", word)
    return RouteOptions(
        timeout, replies == "aggregate", publish == "on-success", replies == "stream-ok", undo == "by-get",
        journal or "",
    )  # fmt: skip
