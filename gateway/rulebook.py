"""Schemas, routes, dialects and checkers as the settings name them: what decides about a message, without a broker."""

from collections.abc import Iterator
from pathlib import Path

from gateway import resources, routing
from gateway.adapters.oms import OutagePlan, Report, batch_message
from gateway.dialects import EVERYBODY, Dialect, Dialects, Interpreter, Tense
from gateway.message import EnvelopeVersion, Header, read
from gateway.message.mask_paths import BadMask, Masks, compile_masks
from gateway.message.nouns import OPERATION_SET, PART9_NOUNS
from gateway.message.speech import NamespaceMap, Speech, filled
from gateway.outages import Device, Power, What
from gateway.settings import Settings, SettingsError, SourceSettings
from gateway.validation import Checker, SchemaSet
from gateway.validation.severities import BadLevels, Severities
from gateway.validation.wording import nearest


def schema_set(settings: Settings) -> SchemaSet:
    """Give the schemas: ours, with what the site's folder replaces. Nothing is compiled yet."""
    return SchemaSet(resources.schema_sources(*([] if settings.schemas is None else [settings.schemas])))


def checker(settings: Settings, schemas: SchemaSet, context: str | None = None) -> Checker:
    """Make a checker; with a context, messages for others are refused. Raises `SettingsError`."""
    coverage = settings.coverage()
    return Checker(
        schemas,
        context=context,
        limits=settings.limits(),
        severities=severities(settings),
        cancel_of_get=settings.allow_cancel_of_get,
        uncovered=(lambda url: coverage.address(url)[1]) if settings.endpoints else None,
    )


def serving_checker(settings: Settings) -> Checker:
    """Make the checker of a serving gateway: its own schemas, compiled ahead, and its own context alone."""
    schemas = schema_set(settings)
    schemas.compile_all()
    return checker(settings, schemas, settings.context)


def masks(settings: Settings, schemas: SchemaSet) -> Masks:
    """Give the paths of personal data. Raises `SettingsError` for one that cannot be used."""
    try:
        return compile_masks(settings.masks, PART9_NOUNS | {OPERATION_SET} | set(schemas.nouns))
    except BadMask as error:
        raise SettingsError(f"masks: {error}") from error


def unnamed(settings: Settings, table: routing.RouteTable) -> dict[str, str]:
    """Give the systems of the sources whose replies may lack every id, by Header.Source.

    Raises `SettingsError` where one is of no system: then nothing was asked of it.
    """
    systems = {source: name for name, system in table.systems.items() for source in (name, *system.sources)}
    wanted = [name for table in settings.sources if table.replies_without_ids for name in table.name]
    problems = [
        f"sources '{name}': replies_without_ids is for sources of a system, and none of the routes has this one"
        for name in wanted
        if name != EVERYBODY and name not in systems
    ]
    if problems:
        raise SettingsError(*problems)
    return systems if EVERYBODY in wanted else {name: systems[name] for name in wanted}


def outage_plan(settings: Settings, table: routing.RouteTable) -> OutagePlan | None:
    """Give how the outage view works; None where it is off. Raises `SettingsError` where its system is none."""
    wanted = settings.outages
    if not wanted.on:
        return None
    if wanted.to not in table.systems:
        close = nearest(wanted.to, table.systems)
        raise SettingsError(
            f"outages.to is '{wanted.to}', and no routing table is of a system of that name"
            f"{f' (did you mean {close}?)' if close else ''}: it may have no routes, but needs a [system] with a queue."
        )
    return OutagePlan(wanted.outage_codes(), wanted.policy(), wanted.batching(), wanted.to)


def told_twice(plan: OutagePlan, table: routing.RouteTable) -> tuple[str, ...]:
    """Name the routes by which the system of the outage view gets each last gasp too, as it comes."""
    gasp = Report(Device("M-1"), "3.26.0.85", What.LOST, 0, 0, Power.ON, event_id="M-1")
    message = read(batch_message([gasp], Header("", ""), iter(())))
    return tuple(route.name for route in table.match(message) if route.system.name == plan.system)


def severities(settings: Settings) -> Severities:
    """Give the levels of rules that the settings change. Raises `SettingsError`."""
    try:
        return Severities.read({name: table.rules for table in settings.sources for name in table.name})
    except BadLevels as error:
        raise SettingsError(*(f"sources: {problem}" for problem in error.problems)) from error


def interpreter(settings: Settings, schemas: SchemaSet, judge: Checker) -> Interpreter:
    """Make what reads messages in the dialects of their sources. Raises `SettingsError`."""
    return Interpreter(dialects(settings, schemas), judge.site, settings.limits())


def dialects(settings: Settings, schemas: SchemaSet) -> Dialects:
    """Give the dialects of the sources. Raises `SettingsError` where one leads to what no schema describes."""
    problems = [problem for table in settings.sources for problem in _problems(table, schemas)]
    if problems:
        raise SettingsError(*problems)
    everybody = next((table for table in settings.sources if EVERYBODY in table.name), None)
    return Dialects(
        {name: _dialect(table, everybody) for table in settings.sources for name in table.name if _has_dialect(table)}
        | ({EVERYBODY: _dialect(everybody, None)} if everybody is not None and _has_dialect(everybody) else {})
    )


def routes_folder(settings: Settings, folder: Path | None = None) -> Path:
    """Give the folder of routing tables: the one asked for, the one of the settings, else those that come along."""
    return folder or settings.routes or resources.shipped("routes")


def route_table(settings: Settings, folder: Path | None = None) -> routing.RouteTable:
    """Load the routes; nouns are those of Part 9 and those that a site's schemas add.

    Raises `ResourceError` for the folder, `RoutingError` for what is in it.
    """
    sources = resources.route_sources(routes_folder(settings, folder))
    named = {name for table in settings.sources if _has_dialect(table) for name in table.name}
    return routing.load(sources, nouns=PART9_NOUNS | schema_set(settings).nouns, dialects=named)


def _has_dialect(table: SourceSettings) -> bool:
    return bool(table.mode or table.namespaces or table.nouns or table.tense)


def _dialect(table: SourceSettings, everybody: SourceSettings | None) -> Dialect:
    """Give the dialect of a table, with what everybody's says beside it."""
    mode, tense = table.mode, table.tense
    namespaces, nouns = table.namespaces, table.nouns
    if everybody is not None:
        mode, tense = mode or everybody.mode, tense or everybody.tense
        namespaces, nouns = everybody.namespaces | namespaces, everybody.nouns | nouns
    own_first = {key: value for key, value in namespaces.items() if key in table.namespaces} | namespaces
    return Dialect(
        lenient=mode == "lenient",
        namespaces=NamespaceMap(tuple(own_first.items())),
        nouns=nouns,
        tense=None if tense is None else Tense(tense),
        # What is read from everybody does not tell how this one wants to be written to.
        speech=Speech(NamespaceMap(tuple(table.namespaces.items())), tuple(table.nouns.items())),
    )


def _problems(table: SourceSettings, schemas: SchemaSet) -> Iterator[str]:
    known = {version.namespace for version in EnvelopeVersion} | set(schemas.namespaces)
    for theirs, ours in table.namespaces.items():
        if not any(filled(space, ours, "") is not None for space in known):
            close = nearest(ours, known)
            hint = f" (did you mean '{close}'?)" if close else ""
            yield f"sources '{table.name[0]}': no schema describes '{ours}', to which '{theirs}' is mapped{hint}."
    for theirs, ours in table.nouns.items():
        if ours not in schemas.nouns | PART9_NOUNS:
            close = nearest(ours, schemas.nouns | PART9_NOUNS)
            hint = f" (did you mean {close}?)" if close else ""
            yield f"sources '{table.name[0]}': {ours}, as which {theirs} is to be read, is no noun{hint}."
