"""Where settings are read from, in which order, and what is wrong with them."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from gateway.endpoints.urls import shown
from gateway.settings.declaration import PREFIX, Settings

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CONFIG_VARIABLE: Final = PREFIX + "CONFIG"
DEFAULT_FILE: Final = Path("cimgate.toml")
_SECRETS: Final = ("amqp_url", "amqp_password", "store")
_PATHS: Final = ("routes", "schemas", "ready_file")
_ENDPOINT_PATHS: Final = ("authorization_file", "secret_file", "ca_file")
_TOKEN_PATHS: Final = ("file",)
_PLAIN: Final = {  # pydantic's kinds of error in plain words
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "byte_size": "must be a number of bytes, such as 50000 or '16 MiB'",
    "byte_size_unit": "must be a number of bytes, such as 50000 or '16 MiB'",
    "string_type": "must be text in quotes",
    "path_type": "must be text in quotes",
    "string_pattern_mismatch": "must match {pattern}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
    "missing": "is missing",
    "too_short": "must not be empty",
}


class SettingsError(Exception):
    """Settings that cannot be used; `problems` holds one line for each that is wrong, without any secret."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Origin(StrEnum):
    """Where a value was set; the first of these that has one wins."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105 - the name of a source
    CONFIG_FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one value comes from; `name` is what its user would edit: an option, a variable, a line of a file."""

    origin: Origin
    name: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the source of each of them, and the TOML file that was read, if any."""

    settings: Settings
    sources: Mapping[str, Source]
    file: Path | None


def load(config: Path | None = None, **arguments: object) -> Settings:
    """Read the settings: arguments, environment, secret files, TOML file, defaults. Raises `SettingsError`."""
    return trace(config, **arguments).settings


def trace(config: Path | None = None, **arguments: object) -> Loaded:
    """Read the settings and say where each came from; an argument of None counts as not given.

    The TOML file is `config`, else the one that CIMGATE_CONFIG names, else ./cimgate.toml where it exists.
    Raises `SettingsError` with a line for each setting that is wrong.
    """
    file = _file(config)
    given = {name: value for name, value in arguments.items() if value is not None}
    written, lines = _toml(file) if file is not None else ({}, {})
    values: dict[str, Any] = {}
    sources = {name: Source(Origin.DEFAULT, "") for name in Settings.model_fields}
    layers: tuple[tuple[Origin, Mapping[str, Any]], ...] = (  # the weakest first
        (Origin.CONFIG_FILE, written),
        (Origin.SECRET_FILE, _secret_files()),
        (Origin.ENVIRONMENT, EnvSettingsSource(Settings)()),
        (Origin.ARGUMENT, given),
    )
    for origin, layer in layers:
        for name, value in layer.items():
            values[name] = value
            sources[name] = Source(origin, _source_name(origin, name, lines))
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsError(*_problems(error, values, sources)) from None  # the cause would quote secrets
    return Loaded(settings, sources, file)


def unknown_variables() -> dict[str, str | None]:
    """Give the variables CIMGATE_... that set nothing, each with the nearest that would.

    They are no error: container platforms put variables of their own beside ours.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {PREFIX + name.upper() + "_FILE" for name in _SECRETS} | {CONFIG_VARIABLE}
    names = sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    return {name: next(iter(get_close_matches(name.upper(), known, 1, 0.8)), None) for name in names}


def _file(config: Path | None) -> Path | None:
    named = os.environ.get(CONFIG_VARIABLE)
    if config is None and not named:
        return DEFAULT_FILE if DEFAULT_FILE.is_file() else None
    file = config if config is not None else Path(named or "").expanduser()
    if not file.is_file():
        by = "--config" if config is not None else CONFIG_VARIABLE
        raise SettingsError(f"{by} names {file}, which is no file.")
    return file


def _toml(file: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Read the file: values by setting, and the place (`file:line`) of each."""
    try:
        text = file.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from error
    lines = {name: f"{file}:{_line_of(name, text)}" for name in values}
    problems = [
        f"{lines[name]}: {name} is no setting.{_nearest(name)}" for name in values if name not in Settings.model_fields
    ]
    if problems:
        raise SettingsError(*problems)
    _anchor(values, _PATHS, file.parent)
    feed = values.get("feed")
    for tables, paths in (
        (values.get("endpoints"), _ENDPOINT_PATHS),
        (feed.get("tokens") if isinstance(feed, dict) else (), _TOKEN_PATHS),
    ):
        for table in tables if isinstance(tables, list) else ():
            if isinstance(table, dict):
                _anchor(table, paths, file.parent)
    return values, lines


def _anchor(values: dict[str, Any], names: tuple[str, ...], folder: Path) -> None:
    """Take paths from the file's folder: they mean the same from wherever the gateway is started."""
    for name in names:
        if isinstance(values.get(name), str):
            values[name] = folder / Path(values[name]).expanduser()


def _table_place(place: str, name: str, number: int) -> str:
    """Give the place of one [[table]] of several, from that of the first."""
    file = place.rpartition(":")[0]
    text = Path(file).read_text(encoding="utf-8")
    heads = [
        text.count("\n", 0, found.start()) + 1 for found in re.finditer(rf"^[ \t]*\[\[{name}\]\]", text, re.MULTILINE)
    ]
    return f"{file}:{heads[number]}" if number < len(heads) else place


def _line_of(name: str, text: str) -> int:
    found = re.search(rf"^[ \t]*\[*[\"']?{re.escape(name)}[\"']?[ \t]*[=.\]]", text, re.MULTILINE)
    return 1 if found is None else text.count("\n", 0, found.start()) + 1


def _nearest(name: str) -> str:
    near = get_close_matches(name.lower().replace("-", "_"), Settings.model_fields, 1)
    return f" Did you mean {near[0]}?" if near else " `cimgate config show` lists all."


def _secret_files() -> dict[str, str]:
    values = {}
    for name in _SECRETS:
        variable = f"{PREFIX}{name.upper()}_FILE"
        if not (file := os.environ.get(variable)):
            continue
        try:
            value = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise SettingsError(f"{variable}: {file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError:
            raise SettingsError(f"{variable}: {file} is not UTF-8 text.") from None  # the cause would quote the secret
        if not value:
            raise SettingsError(f"{variable}: {file} is empty.")
        values[name] = value
    return values


def _source_name(origin: Origin, name: str, lines: Mapping[str, str]) -> str:
    match origin:
        case Origin.ARGUMENT:
            return f"--{name.replace('_', '-')}"
        case Origin.ENVIRONMENT:
            return PREFIX + name.upper()
        case Origin.SECRET_FILE:
            return f"{PREFIX}{name.upper()}_FILE"
        case Origin.CONFIG_FILE:
            return lines[name]
        case Origin.DEFAULT:
            return ""


def _problems(error: ValidationError, values: Mapping[str, Any], sources: Mapping[str, Source]) -> list[str]:
    problems = []
    for entry in error.errors(include_url=False, include_input=False):
        text = _plain(entry)
        if not entry["loc"]:
            problems.append(f"{text}.")
            continue
        name = str(entry["loc"][0])
        if name not in Settings.model_fields:
            problems.append(f"{name} is no setting.{_nearest(name)}")
            continue
        if len(entry["loc"]) > 1:
            problems.append(_inside(entry, values[name], sources[name]))
            continue
        place, origin = sources[name].name, sources[name].origin
        place = f"{place}: {name}" if origin is Origin.CONFIG_FILE else place
        value = values[name]
        quoted = (
            ""
            if name in _SECRETS or isinstance(value, list | dict)
            else f" is {value!r}:"
            if isinstance(value, str)
            else f" is {value}:"
        )
        problems.append(f"{place}{quoted or (':' if isinstance(value, list | dict) else '')} {text}.")
    return problems


def _inside(entry: "ErrorDetails", value: Any, source: Source) -> str:  # noqa: ANN401 - whatever was written
    """Tell what is wrong inside a table: `site.toml:12: sources[1].mode is 'soft': must be ...`."""
    path = ""
    for step in entry["loc"]:
        path += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if path else str(step)
    for step in entry["loc"][1:]:
        try:
            value = value[step]
        except (LookupError, TypeError):
            value = None
    if entry["loc"][-1] == "url" and isinstance(value, str):  # somebody may have written a secret into it
        value = shown(value)
    quoted = f" is {value!r}:" if isinstance(value, str) else ""
    text = "is no key of the table" if entry["type"] == "extra_forbidden" else _plain(entry)
    place = source.name
    if source.origin is Origin.CONFIG_FILE:
        *names, number = entry["loc"][: 2 if isinstance(entry["loc"][1], int) else 3]  # of [[sources]], [[feed.tokens]]
        if isinstance(number, int):
            place = _table_place(place, r"\.".join(map(str, names)), number)
    return f"{place}: {path}{'' if entry['type'] == 'extra_forbidden' else quoted} {text}."


def _plain(entry: "ErrorDetails") -> str:
    template = _PLAIN.get(entry["type"])
    return entry["msg"] if template is None else template.format(**entry.get("ctx", {}))
