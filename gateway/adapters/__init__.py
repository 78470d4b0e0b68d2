"""The systems behind the gateway: what each accepts and how it wants it. Pure; the broker's room does the sending."""

from gateway.adapters.adapter import Adapter, properties_of, repairs_of

__all__ = ["Adapter", "properties_of", "repairs_of"]
