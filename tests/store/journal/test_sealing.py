"""Whatever order messages come in and go, a SQLite journal finds all of them by its indexes and its tail together."""

from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.store.journal._sqlite_sealing import Sealing
from gateway.store.journal.opening import CHAIN
from gateway.store.journal.sqlite import SqliteJournal, prepared
from tests.store.journal.passages import bare, passage

SMALL = Sealing(at_once=16, left=4, segment=40)
NOUNS, DEVICES = ("MeterReadings", "EndDeviceEvents"), ("a", "b", "c")

batches = st.builds(
    lambda start, count, noun, device: [
        passage(start + at, noun=noun, devices=(device, DEVICES[at % 3]), message_id=f"m{at % 7}")
        for at in range(count)
    ],
    st.integers(0, 300), st.integers(1, 30), st.sampled_from(NOUNS), st.sampled_from(DEVICES),
)  # fmt: skip
purges = st.tuples(st.integers(0, 300), st.none() | st.sampled_from(NOUNS))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(batches | purges, min_size=10, max_size=40))
async def test_a_journal_holds_what_was_written_and_not_purged(
    tmp_path: Path, steps: list[list[Passage] | tuple[int, str | None]]
) -> None:
    path = tmp_path / f"{uuid4()}.db"
    journal = SqliteJournal(path, 5, prepared(path, 5, CHAIN, reader=False), SMALL)
    model: dict[int, Passage] = {}
    for step in steps:
        if isinstance(step, list):
            await journal.write(step)
            model = {one.id: one for one in step} | model
            continue
        until, noun = step
        while await journal.purge(passage(until).at, noun=noun, limit=10):
            pass
        model = {id_: one for id_, one in model.items() if one.at >= passage(until).at or noun not in (None, one.noun)}
    await _compare(journal, sorted(model.values(), key=lambda one: one.id))
    await journal.close()


async def _compare(journal: Journal, expected: list[Passage]) -> None:
    assert [one async for one in journal.walk(JournalSearch())] == expected
    for search in (
        *(JournalSearch(noun=noun) for noun in NOUNS),
        *(JournalSearch(device=device) for device in DEVICES),
        JournalSearch(message_id="m3", noun=NOUNS[0]),
    ):
        wanted = [
            one
            for one in expected
            if search.noun in (None, one.noun)
            and search.message_id in (None, one.message_id)
            and (search.device is None or search.device in one.devices)
        ]
        assert await journal.find(search, 1_000) == bare(*reversed(wanted))
        assert await journal.find(search, 5, oldest_first=True) == bare(*wanted[:5])
        assert sum(one.messages for one in await journal.stats(search)) == len(wanted)
    assert await journal.find(JournalSearch(device="d")) == []
