"""Every message that passed, kept and found again. It knows nothing of what a message means.

`gateway.store.journal.opening.open_journal` opens one; importing this room alone loads no database.
"""

from gateway.store.journal.contract import Journal
from gateway.store.journal.ids import id_at, time_of
from gateway.store.journal.values import Count, Handover, JournalSearch, Passage

__all__ = ["Count", "Handover", "Journal", "JournalSearch", "Passage", "id_at", "time_of"]
