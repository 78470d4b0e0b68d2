"""From the page of a delivery to what the journal keeps of it."""

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from gateway.broker import Delivery
from gateway.broker.topology import DEAD
from gateway.codes.patterns import CodeKind
from gateway.message import Header, Message
from gateway.message.blanking import blank
from gateway.message.redacting import Redacted
from gateway.message.subjects import NOTHING, subjects_of
from gateway.pipeline.discretion import Discretion
from gateway.pipeline.pages import Keep, Outcome, Page, Said
from gateway.store.journal import Handover, Passage

_LARGE: Final = 50_000
"""Bytes from which on a message is looked through in a worker thread."""
_NO_HEADER: Final = Header("", "")


class Scribe:
    """Writes passages; `new_id` gives the id of one that came or was made at a time.

    `classes` are the nouns that are kept for a time of their own.
    """

    def __init__(self, new_id: Callable[[float], int], discretion: Discretion, classes: Collection[str] = ()) -> None:
        self._new_id = new_id
        self._discretion = discretion
        self._classes = frozenset(classes)

    async def passages(self, delivery: Delivery, page: Page, now: float) -> list[Passage]:
        """Give the passage of what came, and one for each message that was made for it.

        What was handed on byte for byte has none of its own: it stands among the deliveries of what came.
        """
        if len(delivery.body) > _LARGE:
            return await asyncio.to_thread(self._passages, delivery, page, now)
        return self._passages(delivery, page, now)

    def bare(self, delivery: Delivery, page: Page, why: str) -> Passage:
        """Give a passage that rests on nothing but the delivery."""
        return Passage(
            self._new_id(page.since), "in", outcome=page.outcome, reason=why, routing_key=delivery.routing_key,
            size=len(delivery.body), body=None if self._discretion.masks else delivery.body,
        )  # fmt: skip

    def stripped(self, passage: Passage) -> Passage:
        """Give what every journal takes of a passage: without texts that strangers wrote."""
        return Passage(
            passage.id, passage.direction, outcome=passage.outcome, size=passage.size, body=passage.body,
            reason="The journal did not take the header of this message.",
        )  # fmt: skip

    def _passages(self, delivery: Delivery, page: Page, now: float) -> list[Passage]:
        raw = delivery.body
        own = [said for said in page.said if said.publication.address.exchange != DEAD]
        as_it_came = [said for said in own if raw and said.publication.body is raw]
        made = [said for said in own if not raw or said.publication.body is not raw]
        # What came is first, because ids only grow.
        came = [self._in(delivery, page, as_it_came, now)] if raw else []
        return [*came, *(self._out(page, said, now) for said in made)]

    def _in(self, delivery: Delivery, page: Page, said: list[Said], now: float) -> Passage:
        message, finding = page.examined.message, page.finding
        header = message.header if message is not None else _NO_HEADER
        kept = self._kept(message, delivery.body, refused=finding is not None)
        subjects = page.subjects or (subjects_of(message) if message is not None else NOTHING)
        verdict = "unreadable" if message is None else "refused" if page.examined.errors else "ok"
        values = kept.values
        return Passage(
            self._new_id(page.since),
            "in",
            source=header.source or "",
            kind=message.kind if message is not None else "",
            verb=header.verb,
            noun=header.noun,
            message_id=header.message_id,
            correlation_id=header.correlation_id,
            context=header.context or "",
            events=tuple(code for kind, code in subjects.codes if kind is CodeKind.EVENT),
            devices=tuple(name for name in subjects.names if name not in values),
            verdict=verdict,
            rule=finding.rule if finding else "",
            code=str(finding.code) if finding else "",
            outcome=page.outcome,
            reason=blank(finding.text, values) if finding else kept.why,
            routes=tuple(one.route for one in said if one.route),
            deliveries=tuple(_handover(one, now) for one in said),
            redelivered=1 if delivery.redelivered else 0,
            seconds=now - page.since,
            conversation=page.conversation or None,
            routing_key=delivery.routing_key,
            size=len(delivery.body),
            keep=header.noun if header.noun in self._classes else "",
            body=kept.body if page.keep is Keep.FULL else None,
        )

    def _out(self, page: Page, said: Said, now: float) -> Passage:
        publication = said.publication
        header = publication.header or _NO_HEADER
        kept = self._kept(None, publication.body, refused=False, noun=header.noun)
        return Passage(
            self._new_id(said.at),
            "out",
            source=header.source or publication.properties.app_id,
            system=said.system,
            kind=publication.properties.type.partition(".")[0] if not header.noun else "",
            verb=header.verb,
            noun=header.noun,
            message_id=header.message_id,
            correlation_id=header.correlation_id or publication.properties.correlation_id or None,
            context=header.context or "",
            outcome=Outcome.UNDELIVERABLE if said.failure else Outcome.SENT,
            reason=said.failure,
            routes=(said.route,) if said.route else (),
            deliveries=(_handover(said, now),),
            conversation=publication.origin[0] or page.conversation or None,
            routing_key=publication.address.routing_key,
            size=len(publication.body),
            keep=header.noun if header.noun in self._classes else "",
            body=kept.body if page.keep is Keep.FULL else None,
        )

    def _kept(self, message: Message | None, body: bytes, *, refused: bool, noun: str = "") -> Redacted:
        """Give what may be kept; only of a message that passed the checks is it known at once."""
        if not self._discretion.concerns(None if refused else message):
            return Redacted(body, len(body))
        return self._discretion.redacted(body, message.header.noun if message is not None else noun)


def _handover(said: Said, now: float) -> Handover:
    seconds = None if said.failure else now - said.at
    return Handover(str(said.publication.address), said.system, said.route, said.attempts, seconds)
