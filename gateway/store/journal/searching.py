"""What a search means for the tables: a range of ids, stamps, keys; and what is compared in full afterwards."""

from dataclasses import dataclass

from gateway.store.journal.ids import END, id_at
from gateway.store.journal.keys import CONVERSATION, CORRELATION, DEVICE, MESSAGE, key
from gateway.store.journal.keys import EVENT as EVENT_KEY
from gateway.store.journal.values import JournalSearch, Passage
from gateway.store.journal.words import Words


@dataclass(frozen=True, slots=True)
class Order:
    """Which way to go through the ids, from `low` (inclusive) to `high` (exclusive)."""

    low: int
    high: int
    oldest_first: bool

    @property
    def sql(self) -> str:
        """The word for it."""
        return "ASC" if self.oldest_first else "DESC"

    def past(self, last: int) -> "Order":
        """Give what is left after an id."""
        if self.oldest_first:
            return Order(max(self.low, last + 1), self.high, oldest_first=True)
        return Order(self.low, min(self.high, last), oldest_first=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask the tables. Of `keys` one of each group must be there; `stamps` of None are all.

    `events` are the types that the search stands for, None where it names none.
    """

    search: JournalSearch
    stamps: frozenset[int] | None
    keys: tuple[tuple[int, ...], ...]
    events: frozenset[str] | None
    text: str | None

    @property
    def hopeless(self) -> bool:
        """Whether nothing can be found."""
        return self.stamps == frozenset() or self.events == frozenset()

    def accepts(self, passage: Passage) -> bool:
        """Compare in full what the keys only hint at; stamps and time are exact already."""
        search = self.search
        return (
            (search.message_id is None or search.message_id == passage.message_id)
            and (search.correlation_id is None or search.correlation_id == passage.correlation_id)
            and (search.conversation is None or search.conversation == passage.conversation)
            and (search.device is None or search.device in passage.devices)
            and (self.events is None or not self.events.isdisjoint(passage.events))
            and (self.text is None or self.text in folded(passage.reason))
        )


def planned(search: JournalSearch, words: Words) -> Plan:
    """Give the plan of a search. The rarest keys come first."""
    groups: list[tuple[int, ...]] = [
        (key(kind, text),)
        for kind, text in (
            (MESSAGE, search.message_id), (CORRELATION, search.correlation_id), (CONVERSATION, search.conversation),
            (DEVICE, search.device),
        )
        if text is not None
    ]  # fmt: skip
    events = None if search.event is None else frozenset(words.events_like(search.event))
    if events is not None:
        groups.append(tuple(key(EVENT_KEY, event) for event in events))
    stamps = words.matching(search)
    text = folded(search.text) if search.text else None
    return Plan(search, None if stamps is None else frozenset(stamps), tuple(groups), events, text)


def is_of_stamps(search: JournalSearch) -> bool:
    """Tell whether stamps and time alone decide."""
    others = (search.message_id, search.correlation_id, search.device, search.conversation, search.event, search.text)
    return all(value is None for value in others)


def order_of(search: JournalSearch, after: int | None, *, oldest_first: bool) -> Order:
    """Give the ids of the time that is asked for, beyond those that were given already."""
    low = 0 if search.since is None else id_at(search.since)
    high = END if search.until is None else id_at(search.until)
    order = Order(low, high, oldest_first)
    return order if after is None else order.past(after)


def folded(reason: str) -> str:
    """Give a reason as it is searched: whatever the case, and what every database can hold."""
    return reason.casefold().encode("utf-8", "replace").decode().replace("\0", " ")
