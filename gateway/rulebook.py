"""Schemas, routes and checkers as the settings name them: what decides about a message, without a broker."""

from pathlib import Path

from gateway import resources, routing
from gateway.message.nouns import PART9_NOUNS
from gateway.settings import Settings
from gateway.validation import Checker, SchemaSet


def schema_set(settings: Settings) -> SchemaSet:
    """Give the schemas: ours, with what the site's folder replaces. Nothing is compiled yet."""
    return SchemaSet(resources.schema_sources(*([] if settings.schemas is None else [settings.schemas])))


def checker(settings: Settings, context: str | None = None) -> Checker:
    """Make a checker with its own schemas, compiled ahead; with a context, messages for others are refused."""
    schemas = schema_set(settings)
    schemas.compile_all()
    return Checker(schemas, context=context, limits=settings.limits())


def routes_folder(settings: Settings, folder: Path | None = None) -> Path:
    """Give the folder of routing tables: the one asked for, the one of the settings, else those that come along."""
    return folder or settings.routes or resources.shipped("routes")


def route_table(settings: Settings, folder: Path | None = None) -> routing.RouteTable:
    """Load the routes; nouns are those of Part 9 and those that a site's schemas add.

    Raises `ResourceError` for the folder, `RoutingError` for what is in it.
    """
    sources = resources.route_sources(routes_folder(settings, folder))
    return routing.load(sources, nouns=PART9_NOUNS | schema_set(settings).nouns)
