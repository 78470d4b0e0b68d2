"""The systems behind the gateway: what each accepts and how it wants it. Pure; the broker's room does the sending."""

from gateway.adapters.adapter import FOLLOWS, Adapter, as_repeated, properties_of, repairs_of
from gateway.adapters.subscribers import Subscribers

__all__ = ["FOLLOWS", "Adapter", "Subscribers", "as_repeated", "properties_of", "repairs_of"]
