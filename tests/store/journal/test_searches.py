"""Any search gives what a plain look at every message gives, in any order and page by page."""

import random
import re
from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.store.journal.values import Count
from tests.store.journal.passages import NOW, bare, passage

NOUNS, VERBS, SOURCES = (
    ("MeterReadings", "EndDeviceEvents", "MeterConfig"),
    ("get", "created"),
    ("CIS", "HES-N", "HES-S"),
)
EVENTS = ("3.26.0.85", "3.26.0.216", "3.33.1.257", "12.26.38.37")
IDS = tuple("abcdef")
OUTCOMES = {"delivered": "", "answered": "", "dead:invalid": "line 7: Straße", "dead:unroutable": "no route for it"}


def made() -> list[Passage]:
    """Some hundred messages of few values, so that searches meet."""
    chance = random.Random(968)  # noqa: S311 - the same messages each time
    found = []
    for number in range(400):
        outcome = chance.choice([*OUTCOMES])
        found.append(
            passage(
                number * 10, direction=chance.choice(("in", "out")), source=chance.choice(SOURCES),
                system=chance.choice(("", "OMS")), verb=chance.choice(VERBS), noun=chance.choice(NOUNS),
                message_id=chance.choice((*IDS, None)), correlation_id=chance.choice((*IDS, None)),
                events=tuple(chance.sample(EVENTS, chance.randrange(3))),
                devices=tuple(chance.sample(IDS, chance.randrange(3))), outcome=outcome, reason=OUTCOMES[outcome],
                conversation=chance.choice((*IDS, None)),
            )
        )  # fmt: skip
    return found


MADE = made()


def like(pattern: str | None, text: str) -> bool:
    return pattern is None or re.fullmatch(pattern.replace("*", ".*"), text) is not None


def applies(search: JournalSearch, one: Passage) -> bool:
    return (
        like(search.direction, one.direction)
        and like(search.source, one.source)
        and like(search.system, one.system)
        and like(search.verb, one.verb)
        and like(search.noun, one.noun)
        and like(search.outcome, one.outcome)
        and (search.event is None or any(like(search.event, event) for event in one.events))
        and search.message_id in (None, one.message_id)
        and search.correlation_id in (None, one.correlation_id)
        and search.conversation in (None, one.conversation)
        and (search.device is None or search.device in one.devices)
        and (search.text is None or search.text.lower() in one.reason.lower())
        and (search.since is None or one.at >= search.since)
        and (search.until is None or one.at < search.until)
    )


def perhaps(*values: str) -> st.SearchStrategy[str | None]:
    return st.none() | st.none() | st.sampled_from(values)


times = st.none() | st.integers(-1, 402).map(lambda number: NOW + number * 10)
searches = st.builds(
    JournalSearch, direction=perhaps("in", "out"), source=perhaps(*SOURCES, "HES-*", "none"), system=perhaps("", "OMS"),
    verb=perhaps(*VERBS), noun=perhaps(*NOUNS, "Meter*"), outcome=perhaps(*OUTCOMES, "dead:*"),
    event=perhaps(*EVENTS, "*.26.*.*", "3.*", "*", "9.9.9.9"), message_id=perhaps(*IDS, "x"),
    correlation_id=perhaps(*IDS), conversation=perhaps(*IDS), device=perhaps(*IDS, "x"),
    text=perhaps("line", "LINE 7", "route", "x"), since=times, until=times,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(search=searches, oldest_first=st.booleans(), page=st.sampled_from((23, 60, 1_000)))
async def test_a_search_finds_what_a_look_at_every_message_finds(
    journal: Journal, search: JournalSearch, oldest_first: bool, page: int
) -> None:
    if not await journal.find(JournalSearch(), 1):
        for at in range(0, len(MADE), 50):
            await journal.write(MADE[at : at + 50])
    expected = [one for one in MADE if applies(search, one)]
    found: list[Passage] = []
    while some := await journal.find(search, page, after=found[-1].id if found else None, oldest_first=oldest_first):
        assert len(some) <= page
        found += some
    assert found == bare(*(expected if oldest_first else expected[::-1]))
    counts = Counter(
        replace(Count(one.at // 600 * 600, one.direction, one.noun, one.verb, one.source, one.outcome, 0))
        for one in expected
    )
    assert {replace(one, messages=0): one.messages for one in await journal.stats(search, per=600)} == counts
