"""The store of the settings, for commands: opened, used, closed."""

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from gateway.cli._shared import CommandError, ExitCode, load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.conversations import Conversation
    from gateway.settings import Settings
    from gateway.store import Reader, Store, Stored
    from gateway.store.outages import OutageStore

R = TypeVar("R")

_SEVERAL: Final = 10
"""So many are named where an id is not unique."""


def with_store(ctx: typer.Context, use: "Callable[[Store], Awaitable[R]]") -> R:
    """Do something with the store that the settings name; `StoreUnavailable` and `StoreUnusable` end the command."""
    return asyncio.run(_used(existing_store(load_settings(ctx)), use))


def existing_store(settings: "Settings") -> str:
    """Give the URL of the store that the settings name.

    Raises `CommandError` where its file is not there, because a typing error must not make an empty store, and
    StoreUnusable where it is no URL of a store.
    """
    from gateway.store.opening import sqlite_file  # noqa: PLC0415 - heavy

    written = settings.store.get_secret_value()
    file = sqlite_file(written)
    if file is not None and not file.exists():
        raise CommandError(
            f"The store {file.absolute()} does not exist.",
            "Set CIMGATE_STORE (or store in cimgate.toml) to what the gateway runs with. A path with only three "
            "slashes before it starts at the folder that a command is started in.",
        )
    return written


async def _used(url: str, use: "Callable[[Store], Awaitable[R]]") -> R:
    from gateway.store.opening import open_store  # noqa: PLC0415 - heavy

    store = await open_store(url)
    try:
        return await use(store)
    finally:
        await store.close()


def with_outages(ctx: typer.Context, use: "Callable[[OutageStore], Awaitable[R]]") -> R:
    """Do something with the outages of the store that the settings name, as `with_store` does.

    Raises `CommandError` where there are none.
    """
    from gateway.store.outages.opening import open_outages  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    if (missing := outages_missing(settings)) is not None:
        raise missing

    async def used() -> R:
        store = await open_outages(settings.store.get_secret_value())
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(used())


def outages_missing(settings: "Settings") -> CommandError | None:
    """Tell where a store on this machine has no outages; a command must not make them."""
    from gateway.store.opening import sqlite_file  # noqa: PLC0415 - heavy
    from gateway.store.outages.opening import outages_file  # noqa: PLC0415 - heavy

    file = sqlite_file(settings.store.get_secret_value())
    if file is None or outages_file(file).exists():
        return None
    return CommandError(
        f"No outages are kept beside the store {file.absolute()}.",
        "The gateway keeps them once it has run with [outages] on = true in its settings. If it does, set "
        "CIMGATE_STORE (or store in cimgate.toml) to what the gateway runs with: a path with only three slashes before "
        "it starts at the folder that a command is started in.",
    )


async def find(reader: "Reader", named: str) -> "Stored":
    """Find one conversation by the beginning of its id, a MessageID, a CorrelationID or the id of a leg.

    Raises `CommandError` where there is none, or where there are several.
    """
    from gateway.store import Search  # noqa: PLC0415 - heavy

    named = named.strip()
    found = await reader.search(Search(id=named), limit=_SEVERAL) if named else []
    found = [one for one in found if one.id == named] or found
    if not found and named:
        found = await reader.search(Search(message_id=named), limit=_SEVERAL)
    if not found:
        raise CommandError(
            f"No conversation has the id {named!r}, nor that as a MessageID or CorrelationID.",
            "`cimgate conversations list` shows what is there; conversations are removed after a while.",
            ExitCode.NOT_FINE,
        )
    if len(found) > 1:
        from gateway.cli._times import full  # noqa: PLC0415 - heavy

        shown = [f"{one.id}  {full(one.opened)}  {one.source} {one.verb}({one.noun})" for one in found]
        raise CommandError("\n".join([f"{named!r} names several conversations:", *shown]), "Write more of the id.")
    return found[0]


def read_document(stored: "Stored") -> "Conversation":
    """Read the state of a conversation. Raises `CommandError` where another release has written it."""
    from gateway.conversations import BadDocument, from_json  # noqa: PLC0415 - heavy

    try:
        return from_json(stored.document)
    except BadDocument as error:
        raise CommandError(
            f"The conversation {stored.id} cannot be read: {error}", "Use the release of cimgate that the gateway runs."
        ) from error
