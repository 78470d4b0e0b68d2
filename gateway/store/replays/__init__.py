"""How far replays have come, kept beside the conversations. It knows nothing of what a replay does.

`gateway.store.replays.opening.open_replays` opens them; importing this room alone loads no database.
"""

from gateway.store.replays.contract import Replays
from gateway.store.replays.values import ReplayState, StoredReplay

__all__ = ["ReplayState", "Replays", "StoredReplay"]
