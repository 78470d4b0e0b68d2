"""What an operator does with dead letters: tries them again, mended or not, or gives them up.

The order, for each hundred or two of letters:

1. the journal commits who is about to do what, and why;
2. (retried ones) the message is published again, marked, and the broker confirms it;
3. the letter is acknowledged, and so gone from the queue.

Whatever is cut off in between, the letter is still there. After 1 the journal names a try that may not have happened:
the next one finds it there, and so knows that the message may have arrived, and marks it as a repeat (header
cim-redelivered). What the broker refuses at once is written down too, and marks nothing. The other order, journal after
the confirm, could publish twice without anybody being able to tell.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.broker.dead_queue import DeadQueue, NotTaken
from gateway.broker.letter import Letter
from gateway.cli._dead_reading import dead_letters, read
from gateway.cli._journals import opened_journal
from gateway.cli._operator import login_name
from gateway.crashpoints import crash_point
from gateway.pipeline.retrial import NowhereToGo, destination, place_of, retrial
from gateway.store.journal import Handover, Journal, JournalSearch, Passage

if TYPE_CHECKING:
    from gateway.message import Header
    from gateway.settings import Settings

KIND: Final = "operator"
_LETTER: Final = "dead letter "
"""Before the id of a letter, as the route of the handover by which the journal tells of a try."""

_PAGE: Final = 1_000
_AT_ONCE: Final = 200
_SKEW: Final = 86_400.0
"""Seconds by which the clocks of operators and gateways may differ."""


class Outcome(StrEnum):
    """What became of a dead letter by an operator's hand, as the journal has it."""

    RETRIED = "retried"
    EDITED = "edited"
    DISCARDED = "discarded"
    NOT_TAKEN = "not-taken"
    """A try of which the broker said at once that it took nothing: told after the try, which it takes back."""


_TRIES: Final = {Outcome.RETRIED: 1, Outcome.EDITED: 1, Outcome.NOT_TAKEN: -1}


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done with the chosen letters, and why (`note`).

    `key` replaces the routing key to the gateway; `body` and its `header` the message of the one letter chosen, whose
    `original` goes into the journal.
    """

    outcome: Outcome
    note: str = ""
    key: str = ""
    body: bytes | None = None
    header: "Header | None" = None
    original: bytes | None = None


@dataclass(slots=True)
class Report:
    """What was done. `problems` counts the texts of what was not; `repeats` are second tries of what was cut off."""

    done: int = 0
    repeats: int = 0
    gone: int = 0
    left: int = 0
    problems: Counter[str] = field(default_factory=Counter)


async def act(settings: "Settings", chosen: set[str], since: float, deed: Deed) -> Report:
    """Do it with the letters of these ids, and no others. `since` is when the first of them was written.

    Raises `CommandError` where there is no journal, `StoreUnavailable`, and `SessionLost` where the broker broke off:
    what was not acknowledged is in the queue then.
    """
    report, wanted = Report(), set(chosen)
    async with opened_journal(settings) as journal, dead_letters(settings) as queue:
        tried = await _tries(journal, since, chosen) if deed.outcome in _TRIES else Counter()
        async with aclosing(read(queue, _DOING[deed.outcome])) as pages:
            async for page in pages:
                letters = [letter for letter in page if letter.id in wanted]
                wanted.difference_update(letter.id for letter in letters)
                for start in range(0, len(letters), _AT_ONCE):
                    some = letters[start : start + _AT_ONCE]
                    if deed.outcome is Outcome.DISCARDED:
                        await _discard(queue, journal, some, deed, report)
                    else:
                        await _retry(queue, journal, some, deed, tried, settings.confirm_timeout, report)
                if not wanted:
                    break
        report.gone = len(wanted)
        report.left = await queue.give_back()
    return report


_DOING: Final = {Outcome.RETRIED: "retrying", Outcome.EDITED: "sending", Outcome.DISCARDED: "discarding"}


async def _discard(queue: DeadQueue, journal: Journal, letters: Sequence[Letter], deed: Deed, report: Report) -> None:
    await journal.write([_passage(journal, letter, deed) for letter in letters])
    crash_point("dead-journaled")
    await queue.remove(letters)
    crash_point("dead-removed")
    report.done += len(letters)


async def _retry(
    queue: DeadQueue, journal: Journal, letters: Sequence[Letter], deed: Deed, tried: "Counter[str]",
    patience: float, report: Report,
) -> None:  # fmt: skip
    publications = []
    for letter in letters:
        try:
            address = destination(letter, key=deed.key, mended=deed.body is not None)
        except NowhereToGo as error:
            report.problems[str(error)] += 1
            continue
        made = retrial(letter, address, tried=tried[letter.id], body=deed.body, header=deed.header)
        publications.append((letter, made))
    await journal.write(
        [_passage(journal, letter, deed, place=place_of(made.address)) for letter, made in publications]
    )
    crash_point("dead-journaled")
    fates = await asyncio.gather(*(queue.send(made, patience) for _, made in publications), return_exceptions=True)
    crash_point("dead-confirmed")
    taken = [letter for (letter, _), fate in zip(publications, fates, strict=True) if fate is None]
    await queue.remove(taken)
    crash_point("dead-removed")
    report.done += len(taken)
    report.repeats += sum(tried[letter.id] > 0 for letter in taken)
    refused: list[Passage] = []
    for (letter, made), fate in zip(publications, fates, strict=True):
        if isinstance(fate, NotTaken):
            report.problems[str(fate)] += 1
            if not fate.unknown:
                outcome = replace(deed, outcome=Outcome.NOT_TAKEN, note=str(fate), original=None)
                refused.append(_passage(journal, letter, outcome, place=place_of(made.address)))
        elif fate is not None:
            raise fate
    if refused:
        await journal.write(refused)


def _passage(journal: Journal, letter: Letter, deed: Deed, place: str = "") -> Passage:
    return Passage(
        id=journal.new_id(),
        direction="in",
        source=login_name(),
        kind=KIND,
        verb=letter.verb,
        noun=letter.noun,
        message_id=letter.message_id or None,
        correlation_id=letter.correlation_id or None,
        rule=letter.text("rule"),
        code=letter.text("code"),
        outcome=deed.outcome,
        reason=deed.note,
        deliveries=(Handover(place, route=f"{_LETTER}{letter.id}"),) if place else (),
        conversation=letter.text("conversation") or None,
        size=len(letter.body),
        body=deed.original,
    )


async def _tries(journal: Journal, since: float, chosen: set[str]) -> "Counter[str]":
    """Count the tries of these letters whose end the journal does not know: they were cut off."""
    found: Counter[str] = Counter()
    for outcome, count in _TRIES.items():
        search, after = JournalSearch(kind=KIND, outcome=outcome, since=since - _SKEW), None
        while passages := await journal.find(search, _PAGE, after=after):
            after = passages[-1].id
            for id_ in (one.route.removeprefix(_LETTER) for passage in passages for one in passage.deliveries):
                if id_ in chosen:
                    found[id_] += count
    return found
