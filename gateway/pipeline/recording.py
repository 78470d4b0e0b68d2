"""The journal's part of the way: what passed is written, many messages at once, before the broker hears of it.

A page is opened when work on a delivery begins, and closed when all that was published for it is confirmed. One writer
takes whatever has been closed meanwhile, commits it, and then lets the deliveries be acknowledged. While the journal
is not there nothing is acknowledged, and intake stops by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

import structlog

from gateway.broker import Delivery
from gateway.crashpoints import crash_point
from gateway.endpoints import Publication
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.examination import Examined
from gateway.pipeline.pages import FULLEST, Keep, Page, Said
from gateway.pipeline.passages import Scribe
from gateway.store import StoreUnavailable
from gateway.store.journal import Journal, Passage

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0
_AT_ONCE: Final = 500

Acknowledge = Callable[[Sequence[Delivery]], None]
"""Hears of deliveries that are written down, in the order they were closed."""

_Closed = tuple[Delivery, Page | None, Acknowledge]


class Recorder:
    """Keeps the pages of what is in hand, and writes those that are closed. `now` is since the epoch.

    `keep` is how much is kept where no route says otherwise; `classes` are nouns that are kept for a time of their own.
    """

    def __init__(
        self, journal: Journal, keep: Keep, discretion: Discretion, now: Callable[[], float],
        classes: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._journal = journal
        self._keep = keep
        self._now = now
        self._scribe = Scribe(journal.new_id, discretion, classes)
        self._pages: dict[Delivery, Page] = {}
        self._closed: list[_Closed] = []
        self._wake = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self.waiting = ""
        """Why the journal is not there; empty while it is."""

    def opened(self, delivery: Delivery, examined: Examined) -> Page:
        """Open the page of a delivery that has come."""
        page = self._pages[delivery] = Page(examined, self._now(), self._keep)
        return page

    def page(self, delivery: Delivery) -> Page:
        """Give the page of a delivery; what the gateway does by itself gets one when it first says something."""
        page = self._pages.get(delivery)
        return self.opened(delivery, Examined(None)) if page is None else page

    def keep(self, page: Page, asked: Sequence[str]) -> None:
        """Keep as much of a message as that one of its routes asks for that wants the most."""
        if any(asked):
            page.keep = max((Keep(word) if word else self._keep for word in asked), key=FULLEST.index)

    def said(self, delivery: Delivery, publication: Publication, *, system: str = "", route: str = "") -> None:
        """Note a publication."""
        self.page(delivery).said.append(Said(publication, self._now(), system, route))

    def again(self, delivery: Delivery, publication: Publication) -> None:
        """Note that a receiver did not take it for now, and that it is tried again."""
        for said in self.page(delivery).said:
            if said.publication.address == publication.address:
                said.attempts += 1

    def undeliverable(self, delivery: Delivery, publication: Publication, failure: str) -> None:
        """Note that no queue took a publication."""
        page = self.page(delivery)
        for said in page.said:
            if said.publication.address == publication.address:
                said.failure = failure

    def close(self, delivery: Delivery, acknowledge: Acknowledge) -> None:
        """Let a delivery be written down, and acknowledged after that."""
        delivery.closed = True
        page = self._pages.pop(delivery, None)
        self._closed.append((delivery, page, acknowledge))
        self._flushed.clear()
        self._wake.set()

    def forget(self) -> None:
        """Drop the pages of deliveries that went back to the broker with their session: they come again."""
        self._pages.clear()

    async def flushed(self) -> None:
        """Wait until everything that is closed is written."""
        await self._flushed.wait()

    async def serve(self) -> None:
        """Write what is closed, until cancelled; each write takes all that came while the last one went on."""
        while True:
            if not self._closed:
                self._flushed.set()
                self._wake.clear()
                await self._wake.wait()
            closed, self._closed = self._closed[:_AT_ONCE], self._closed[_AT_ONCE:]
            passages: list[Passage] = []
            for delivery, page, _ in closed:
                passages += await self._passages(delivery, page)
            if passages:
                crash_point("journal")
                await self._write(passages)
                crash_point("journaled")
            _acknowledge(closed)

    async def _passages(self, delivery: Delivery, page: Page | None) -> list[Passage]:
        if page is None or (page.keep is Keep.OFF and page.finding is None):
            return []
        try:
            return await self._scribe.passages(delivery, page, self._now())
        except Exception as error:
            # A defect of ours must not keep a message from its end: what is known without looking into it is kept.
            log.exception("a message cannot be described for the journal")
            return [self._scribe.bare(delivery, page, f"{type(error).__name__}: {error}")]

    async def _write(self, passages: list[Passage]) -> None:
        """Write all; each by itself where the journal does not take them together."""
        try:
            await self._patiently(partial(self._journal.write, passages))
        except Exception:
            if len(passages) == 1:
                log.exception("the journal does not take a message", message_id=passages[0].message_id)
                await self._patiently(partial(self._journal.write, [self._scribe.stripped(passages[0])]))
                return
            for passage in passages:
                await self._write([passage])

    async def _patiently(self, use: Callable[[], Awaitable[None]]) -> None:
        pause = _PAUSE
        while True:
            try:
                await use()
            except StoreUnavailable as error:
                if str(error) != self.waiting:
                    log.warning("journal not available, intake pauses", reason=str(error), retry_in=pause)
                self.waiting = str(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if self.waiting:
                log.info("journal takes messages again")
                self.waiting = ""
            return


def _acknowledge(closed: Sequence[_Closed]) -> None:
    by_session: dict[Acknowledge, list[Delivery]] = {}
    for delivery, _, acknowledge in closed:
        by_session.setdefault(acknowledge, []).append(delivery)
    for acknowledge, deliveries in by_session.items():
        acknowledge(deliveries)
