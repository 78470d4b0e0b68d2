"""Subscriptions, kept beside the conversations. It knows nothing of what a subscription means.

`gateway.store.subscriptions.opening.open_subscriptions` opens them; importing this room alone loads no database.
"""

from gateway.store.subscriptions.contract import Subscriptions
from gateway.store.subscriptions.values import Known, Progress, Reader, StoredSubscription

__all__ = ["Known", "Progress", "Reader", "StoredSubscription", "Subscriptions"]
