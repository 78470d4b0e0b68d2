"""Makes the workers that hand over the events of subscriptions, as the settings of this process have it."""

from collections.abc import Sequence

from gateway.endpoints import Coverage
from gateway.endpoints.breaker import Breaker
from gateway.endpoints.http import HttpEndpoint
from gateway.message import Limits
from gateway.outages import OutageCodes
from gateway.pipeline.burial import Burial
from gateway.pipeline.courier import Courier
from gateway.pipeline.delivering import Worker
from gateway.pipeline.errands import Events
from gateway.pipeline.event_file import EventFile
from gateway.pipeline.forwarding import RENEW_AFTER
from gateway.pipeline.sinks import Sink
from gateway.pipeline.tally import Tally
from gateway.pipeline.webhook import Uncovered, Webhook
from gateway.subscriptions import Subscription, ToFile, ToWebhook


class Workers:
    """Makes a worker for a subscription. The breaker of a webhook outlives its workers."""

    def __init__(
        self, endpoints: Sequence[HttpEndpoint], coverage: Coverage, burial: Burial, codes: OutageCodes,
        limits: Limits, *, renew_after: float = RENEW_AFTER,
    ) -> None:  # fmt: skip
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        self._coverage = coverage
        self._burial = burial
        self._codes = codes
        self._limits = limits
        self._renew_after = renew_after
        self._breakers: dict[str, Breaker] = {}

    def __call__(self, subscription: Subscription, tally: Tally) -> Worker:
        """Make a worker. Raises TypeError for a delivery that the gateway has no part in."""
        match subscription.delivery:
            case ToWebhook(url=url):
                return self._webhook(subscription, url, tally)
            case ToFile() as wanted:
                sink = Sink(wanted, subscription.name, self._codes, self._limits)
                return EventFile(subscription.queue, sink, tally)
            case other:
                raise TypeError(f"The gateway does not deliver {other}.")

    def _webhook(self, subscription: Subscription, url: str, tally: Tally) -> Worker:
        name, why = self._coverage.endpoint(url, "URL")
        if not name:
            return Uncovered(why)
        endpoint = self._endpoints[name]
        breaker = self._breakers.setdefault(subscription.name, Breaker())
        events = Events(subscription.name, subscription.queue, url, endpoint, self._burial, tally, self._limits)
        return Webhook(lambda: Courier(endpoint, events, breaker, renew_after=self._renew_after))
