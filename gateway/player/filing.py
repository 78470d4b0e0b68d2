"""Writes a replay into a file of recorded traffic, in one go: the file itself tells how far it has come."""

import asyncio
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from gateway import __version__
from gateway.endpoints import Publication
from gateway.player.keeper import Keeper
from gateway.player.player import Account, book
from gateway.player.sources import Source
from gateway.player.targets import Target
from gateway.replay import LeftOut, Planner, Step
from gateway.traffic import Direction, Record, Writer, append, survey

_EVERY: Final = 0.5
"""Seconds between two times at which what is written is made safe and noted."""


class Mismatch(ValueError):  # noqa: N818 - says what is found
    """The file does not hold what this replay has written into it."""


class Filer:
    """One run of a replay into a file. `stop` lets it end after the message at hand."""

    def __init__(
        self, source: Source, planner: Callable[[], Planner], target: Target, keeper: Keeper, shift: int
    ) -> None:
        self.progress = keeper.progress
        self.stopping = False
        self.troubles = keeper.troubles
        self._source = source
        self._planner = planner
        self._target = target
        self._keeper = keeper
        self._shift = shift

    def stop(self) -> None:
        """Ask for an end."""
        self.stopping = True

    async def write(self, path: Path) -> None:
        """Write all. Goes on behind the last whole frame of a file that this replay has begun.

        Raises OSError, `Mismatch`, `TakenOver`, StoreUnavailable, and what the source raises.
        """
        began, before = time.monotonic(), self.progress.seconds
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # personal data may be in it
        with path.open("r+b") as file:
            _claim(file, path)
            writer, missing = self._writer(file, path)
            safe_at = time.monotonic()
            planner = self._planner()
            async with aclosing(self._source.messages(self.progress.done)) as messages:
                async for message in messages:
                    if self.stopping:
                        break
                    account = Account(message, planner.plan(message))
                    if isinstance(account.planned, Step):
                        missing = self._write(writer, account, account.planned, missing)
                    book(self.progress, account)
                    if time.monotonic() - safe_at > _EVERY:
                        self.progress.seconds = before + time.monotonic() - began
                        await self._make_safe(writer, file)
                        safe_at = time.monotonic()
                    await asyncio.sleep(0)
            self.progress.seconds = before + time.monotonic() - began
            await self._make_safe(writer, file)

    def _writer(self, file: BinaryIO, path: Path) -> tuple[Writer, int]:
        """Give what writes on, and how many messages the file has that are not noted."""
        if not file.seek(0, os.SEEK_END):
            if self.progress.sent:
                raise Mismatch(f"{path} is empty, but this replay has written {self.progress.sent:,} messages.")
            return Writer(file, {"by": f"cimgate {__version__}"}), 0
        file.seek(0)
        there = survey(file).records
        if there < self.progress.sent:
            raise Mismatch(f"{path} holds {there:,} messages, but this replay has written {self.progress.sent:,}.")
        return append(file), there - self.progress.sent

    def _write(self, writer: Writer, account: Account, step: Step, missing: int) -> int:
        """Write a message, unless the file has it already; gives how many it has that are not noted."""
        publication = self._target.publication(step, repeated=False)
        if isinstance(publication, LeftOut):
            account.planned = publication
            return missing
        if missing:
            return missing - 1
        writer.write(_record(step, publication, self._shift))
        return 0

    async def _make_safe(self, writer: Writer, file: BinaryIO) -> None:
        writer.flush()
        await asyncio.to_thread(os.fsync, file.fileno())
        self.progress.reserved = self.progress.done
        await self._keeper.note()


def _claim(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Mismatch(f"Another run writes {path} at this moment: end that first.") from error


def _record(step: Step, publication: Publication, shift: int) -> Record:
    properties, message = publication.properties, step.changed.message
    record = Record(
        datetime.fromtimestamp(step.recorded.at + shift, UTC),
        Direction.IN,
        step.changed.body,
        exchange=publication.address.exchange,
        routing_key=publication.address.routing_key,
        type=properties.type,
        app_id=properties.app_id,
        content_type=properties.content_type,
        reply_to=properties.reply_to,
        correlation_id=properties.correlation_id,
        headers=dict(properties.headers or {}),
        source=step.recorded.source,
        noun=step.recorded.noun,
        verb=step.recorded.verb,
        message_id=step.recorded.message_id,
        masked=step.recorded.masked,
    )
    return record if message is None else replace(record, message_id=message.header.message_id or "")
