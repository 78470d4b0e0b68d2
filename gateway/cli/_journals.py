"""The journal of the settings, for commands; and the short form in which its ids are shown."""

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from gateway.cli._shared import CommandError, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from gateway.settings import Settings
    from gateway.store.journal import Journal

R = TypeVar("R")

_DIGITS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Of base 32, without those that are taken for others (i, l, o, u)."""
_LENGTH: Final = 13
_TAKEN_FOR: Final = str.maketrans("ilo", "110")


def short(id_: int) -> str:
    """Write the id of a passage in 13 letters and digits, which sort as the ids do."""
    return "".join(_DIGITS[id_ >> 5 * at & 31] for at in reversed(range(_LENGTH)))


def passage_id(text: str) -> int | None:
    """Read the id of a passage as `short` writes it, or as a number; None where it is neither."""
    text = text.strip().lower()
    if text.isascii() and text.isdecimal() and len(text) > _LENGTH:
        return int(text) if int(text) < 1 << 63 else None
    text = text.translate(_TAKEN_FOR)
    if len(text) != _LENGTH or not set(text) <= set(_DIGITS):
        return None
    number = 0
    for digit in text:
        number = number << 5 | _DIGITS.index(digit)
    return number if number < 1 << 63 else None


def with_journal(
    ctx: typer.Context, store: str | None, use: "Callable[[Journal], Awaitable[R]]", *, make: bool = False
) -> R:
    """Do something with the journal of a store: the one that is given, else that of the settings.

    `StoreUnavailable` and `StoreUnusable` end the command. Raises `CommandError` where its file is not there, unless
    it is to be made: a typing error must not make an empty journal.
    """
    settings = load_settings(ctx, store=store)

    async def used() -> R:
        async with opened_journal(settings, reader=not make, make=make) as journal:
            return await use(journal)

    return asyncio.run(used())


@asynccontextmanager
async def opened_journal(settings: "Settings", *, reader: bool = False, make: bool = False) -> "AsyncIterator[Journal]":
    """Open the journal of the settings, for a while; a `reader` writes nothing. Raises as `with_journal` does."""
    from gateway.store.journal.opening import journal_file, open_journal  # noqa: PLC0415 - heavy
    from gateway.store.opening import sqlite_file  # noqa: PLC0415 - heavy

    url = settings.store.get_secret_value()
    store = sqlite_file(url)
    if store is not None and not make:
        file = journal_file(store)
        if not await asyncio.to_thread(file.exists):
            raise CommandError(
                f"The journal {file.absolute()} does not exist.",
                "A gateway makes it at its first start. Name the store that the gateway runs with: CIMGATE_STORE, "
                "store in cimgate.toml, or --store of cimgate journal. A path with only three slashes starts at the "
                "folder that a command is started in.",
            )
    journal = await open_journal(url, reader=reader)
    try:
        yield journal
    finally:
        await journal.close()
