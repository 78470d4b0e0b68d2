"""What a courier brings to an endpoint: answers to those who asked, or the events of a subscription."""

import asyncio
import time
from typing import Final, Protocol

from gateway.adapters.adapter import MESSAGE_ID
from gateway.broker import Delivery
from gateway.codes import ReplyCode
from gateway.endpoints import Coverage, Publication
from gateway.endpoints.coverage import endpoint_queue
from gateway.endpoints.http import HttpEndpoint, Outcome
from gateway.endpoints.signing import webhook_headers, webhook_id
from gateway.endpoints.urls import shown
from gateway.message import Finding, Limits, Unreadable, read
from gateway.message.subjects import MOST_NAMES, subjects_of
from gateway.pipeline.burial import Burial
from gateway.pipeline.parcel import Parcel
from gateway.pipeline.tally import Tally

_LARGE: Final = 100_000


class Errand(Protocol):
    """Knows the queue, what its messages are, and what their end means.

    `away` and `back` tell in the log that the endpoint takes none, and takes them again. `ordered`: they go back to the
    queue in their order.
    """

    queue: str
    away: str
    back: str
    ordered: bool

    async def parcel(self, delivery: Delivery, number: int, now: float) -> Parcel:
        """Open what came from the queue."""

    def covered(self, parcel: Parcel) -> bool:
        """Tell whether the endpoint is still the one for the URL."""

    def headers(self, parcel: Parcel) -> dict[str, str]:
        """Give what a post says beside the body. Raises OSError or ValueError where there is no secret to sign with."""

    def letter(self, parcel: Parcel, finding: Finding, outcome: Outcome | None) -> Publication:
        """Give the dead letter."""

    def refused(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the endpoint will never take it."""

    def unavailable(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the endpoint did not take it in time."""

    def taken(self, parcel: Parcel) -> None:
        """Hear that it has arrived."""

    def held(self, why: str) -> None:
        """Hear that nothing is taken for now."""


class Answers:
    """Answers, each to the URL that its asker gave."""

    away = "endpoint takes no answers, retrying"
    back = "endpoint takes answers again"
    ordered = False

    def __init__(self, endpoint: HttpEndpoint, coverage: Coverage, burial: Burial) -> None:
        self.queue = endpoint_queue(endpoint.name)
        self._endpoint = endpoint
        self._coverage = coverage
        self._burial = burial

    async def parcel(self, delivery: Delivery, number: int, now: float) -> Parcel:
        """Open what came from the queue."""
        return Parcel.of(delivery, number, now)

    def covered(self, parcel: Parcel) -> bool:
        """Tell whether the endpoint is still the one for the URL."""
        return self._coverage.covers(self._endpoint.name, parcel.url)

    def headers(self, parcel: Parcel) -> dict[str, str]:
        """Give the ids."""
        return parcel.http_headers()

    def letter(self, parcel: Parcel, finding: Finding, outcome: Outcome | None) -> Publication:
        """Give the dead letter."""
        status = None if outcome is None else outcome.status
        return self._burial.unposted(
            parcel.delivery, parcel.header, finding, parcel.url, self._endpoint.name, parcel.posts, status
        )

    def refused(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the endpoint will never take it."""
        return Finding(
            "endpoint-refused",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"{shown(parcel.url)} refused the answer: {outcome.text}.",
            "Let the asker mend its ReplyAddress, or its operator the endpoint; the body here is the answer.",
        )

    def unavailable(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the endpoint did not take it in time."""
        return Finding(
            "endpoint-unavailable",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"{shown(parcel.url)} did not take the answer within {self._endpoint.give_up_after:g} s; in the end: "
            f"{outcome.text}.",
            "Let its operator mend the endpoint; the body here is the answer, to be handed over by hand.",
        )

    def taken(self, parcel: Parcel) -> None:
        """Count nothing."""

    def held(self, why: str) -> None:
        """Leave it to the log."""


class Events:
    """The events of one subscription, all to its URL, signed; those about one device in their order."""

    away = "webhook takes no events, retrying"
    back = "webhook takes events again"
    ordered = True

    def __init__(
        self, name: str, queue: str, url: str, endpoint: HttpEndpoint, burial: Burial, tally: Tally, limits: Limits
    ) -> None:
        self.queue = queue
        self._name = name
        self._url = url
        self._endpoint = endpoint
        self._burial = burial
        self._tally = tally
        self._limits = limits

    async def parcel(self, delivery: Delivery, number: int, now: float) -> Parcel:
        """Open what came from the queue, and see what it is about."""
        parcel = Parcel.of(delivery, number, now)
        parcel.url = self._url
        if len(delivery.body) > _LARGE:
            names = await asyncio.to_thread(self._names, delivery.body)
        else:
            names = self._names(delivery.body)
        parcel.alone = names is None or len(names) >= MOST_NAMES
        parcel.keys = frozenset() if parcel.alone else frozenset(names or ())
        return parcel

    def covered(self, parcel: Parcel) -> bool:
        """All go to the URL for which the endpoint was found."""
        return bool(parcel.url)

    def headers(self, parcel: Parcel) -> dict[str, str]:
        """Give ids, what it is, and the signature. Raises OSError or ValueError where there is no secret to read."""
        secrets = self._endpoint.signing() if self._endpoint.signing else ()
        source, body = parcel.delivery.said[1], parcel.delivery.body
        id_ = webhook_id(source, str(parcel.headers.get(MESSAGE_ID, "")), body)
        signed = webhook_headers(secrets, id_, int(time.time()), body)
        return parcel.http_headers(subscription=self._name) | signed

    def letter(self, parcel: Parcel, finding: Finding, outcome: Outcome | None) -> Publication:
        """Give the dead letter: a retry puts it into the queue of the subscription again."""
        status = None if outcome is None else outcome.status
        self._tally.gave_up(finding.text)
        return self._burial.not_taken(
            parcel.delivery, parcel.header, finding, f"queue:{self.queue}", parcel.posts, status
        )

    def refused(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the webhook will never take it."""
        return Finding(
            "webhook-refused",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"The webhook {shown(parcel.url)} of subscription {self._name} refused the event: {outcome.text}.",
            "Let its operator mend it, then post the event again: cimgate dead retry.",
        )

    def unavailable(self, parcel: Parcel, outcome: Outcome) -> Finding:
        """Say that the webhook did not take it in time."""
        return Finding(
            "webhook-unavailable",
            ReplyCode.TRANSACTION_ATTEMPTED_AND_FAILED,
            f"The webhook {shown(parcel.url)} of subscription {self._name} did not take the event within "
            f"{self._endpoint.give_up_after:g} s; in the end: {outcome.text}.",
            "Let its operator mend it, then post the event again: cimgate dead retry.",
        )

    def taken(self, parcel: Parcel) -> None:
        """Count it."""
        self._tally.delivered(1, parcel.first_sent)

    def held(self, why: str) -> None:
        """Note why nothing goes on."""
        self._tally.held(why)

    def _names(self, body: bytes) -> tuple[str, ...] | None:
        """Give the devices that an event names; None where it cannot be read."""
        try:
            return subjects_of(read(body, self._limits)).names
        except Unreadable:
            return None
