"""Who gets which events, and how. Pure.

A `Subscription` has a `Filter` and a delivery. `selection(subscription)` says by which headers its queue is bound at
`cim.events`, and what is left for the gateway to judge; a `Marker` judges that for all of them at publication.
"""

from gateway.subscriptions.documents import BadDocument, from_json, to_json
from gateway.subscriptions.filters import BadFilter, Filter, described, filter_of
from gateway.subscriptions.judging import Judge, Marker
from gateway.subscriptions.selecting import Judged, Selection, selection
from gateway.subscriptions.values import (
    BadSubscription,
    Delivery,
    Subscription,
    ToFeed,
    ToFile,
    ToQueue,
    ToWebhook,
    check_name,
    queue_of,
)

__all__ = [
    "BadDocument",
    "BadFilter",
    "BadSubscription",
    "Delivery",
    "Filter",
    "Judge",
    "Judged",
    "Marker",
    "Selection",
    "Subscription",
    "ToFeed",
    "ToFile",
    "ToQueue",
    "ToWebhook",
    "check_name",
    "described",
    "filter_of",
    "from_json",
    "queue_of",
    "selection",
    "to_json",
]
