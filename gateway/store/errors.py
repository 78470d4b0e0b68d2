"""What a store raises: each error means one fate."""


class StoreUnavailable(Exception):  # noqa: N818 - it reads as what it tells
    """Busy, locked, full, cut off or restarting: nothing of this unit can be relied on; take it up again later.

    Raised at a commit it leaves open whether the unit was stored: read again before the next step. Versions and the
    unique pair of source and MessageID keep a repetition from being stored twice.
    """


class StoreUnusable(Exception):  # noqa: N818 - the same
    """The store cannot be used until a person changes something; the text says what. Raised when opening only."""
