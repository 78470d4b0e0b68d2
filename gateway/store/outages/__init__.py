"""How devices stand, and what is still to be told of them. It knows nothing of what an outage is.

`gateway.store.outages.opening.open_outages` opens it; importing this room alone loads no database.
"""

from gateway.store.outages.contract import OutageStore, OutageUnit
from gateway.store.outages.values import Holder, Standing, StoredBatch, StoredDevice, StoredReport

__all__ = ["Holder", "OutageStore", "OutageUnit", "Standing", "StoredBatch", "StoredDevice", "StoredReport"]
