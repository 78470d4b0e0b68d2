"""Conversations on disk: documents and the keys to find them. It knows nothing of what a conversation is.

`gateway.store.opening.open_store` opens one; importing this room alone loads no database. Every message that passed is
kept beside them, in `gateway.store.journal`.
"""

from gateway.store.contract import Reader, Store, Unit
from gateway.store.errors import StoreUnavailable, StoreUnusable
from gateway.store.ids import time_ordered_id
from gateway.store.values import Entry, Key, Search, Stored, StoredLeg, Tie

__all__ = [
    "Entry",
    "Key",
    "Reader",
    "Search",
    "Store",
    "StoreUnavailable",
    "StoreUnusable",
    "Stored",
    "StoredLeg",
    "Tie",
    "Unit",
    "time_ordered_id",
]
