"""What every store must do: the same tests run on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.store import Entry, Search, Store, StoreUnavailable, Tie
from gateway.store.opening import open_store
from tests.store.rows import NOW, conversation, leg

ODD = "ü 'quoted' \"double\" %_ \\ 電気 🔌"


async def test_a_conversation_comes_back_as_it_was_stored(store: Store) -> None:
    full = conversation("c", document='{"note": "' + ODD + '\\u0000"}', source=ODD, message_id=ODD, alarm=True)
    bare = conversation("d", message_id=None, echoed_id=None, deadline=None, final=True)
    async with store.begin() as unit:
        assert await unit.insert([full, bare]) == frozenset()
    async with store.look() as reader:
        assert await reader.conversations(["c", "d", "unknown"]) == {"c": full, "d": bare}
        assert await reader.conversations([]) == {}


async def test_a_reply_finds_its_conversation_by_the_id_of_its_leg(store: Store) -> None:
    first, second = conversation("first"), conversation("second")
    async with store.begin() as unit:
        await unit.insert([first, second], [leg("a", "first"), leg("b", "first", system="OMS"), leg("c", "second")])
        assert await unit.conversations_of_legs(["a", "b", "c", "x"]) == {"a": first, "b": first, "c": second}
    async with store.look() as reader:
        assert await reader.conversations_of_legs(["b"]) == {"b": first}


async def test_ids_that_no_database_can_hold_are_not_found_and_do_no_harm(store: Store) -> None:
    known = conversation("c", message_id=ODD, echoed_id=ODD)
    hostile = ["\0", "a\0b", "\ud800", "'; DROP TABLE leg; --", "", "x" * 100_000]
    async with store.begin() as unit:
        await unit.insert([known], [leg(ODD, "c")])
        assert await unit.conversations_of_legs([*hostile, ODD]) == {ODD: known}
        assert await unit.requests([*((id_, id_) for id_ in hostile), ("CIS", ODD)]) == {("CIS", ODD): known}
        assert await unit.by_echoed([*(("CIS", id_) for id_ in hostile), ("CIS", ODD)]) == {("CIS", ODD): known}


async def test_a_request_is_found_by_its_source_and_message_id(store: Store) -> None:
    ours, theirs = conversation("c", message_id="m"), conversation("d", message_id="m", source="OMS")
    async with store.begin() as unit:
        assert await unit.insert([ours, theirs]) == frozenset()
        assert await unit.requests([("CIS", "m"), ("OMS", "m"), ("MDM", "m")]) == {
            ("CIS", "m"): ours,
            ("OMS", "m"): theirs,
        }


async def test_the_same_request_opens_one_conversation(store: Store) -> None:
    first, again = conversation("first", message_id="m"), conversation("again", message_id="m")
    other = conversation("other")
    async with store.begin() as unit:
        assert await unit.insert([first], [leg("a", "first")]) == frozenset()
    async with store.begin() as unit:
        assert await unit.insert([again, other], [leg("b", "again"), leg("c", "other")]) == {"again"}
    async with store.look() as reader:
        assert await reader.requests([("CIS", "m")]) == {("CIS", "m"): first}
        assert await reader.conversations_of_legs(["a", "b", "c"]) == {"a": first, "c": other}


async def test_the_same_request_twice_in_one_batch_opens_one_conversation(store: Store) -> None:
    async with store.begin() as unit:
        twice = [conversation("first", message_id="m"), conversation("again", message_id="m")]
        assert await unit.insert(twice) == {"again"}


async def test_requests_without_message_id_are_all_different(store: Store) -> None:
    async with store.begin() as unit:
        rows = [conversation(name, message_id=None) for name in "abc"]
        assert await unit.insert(rows) == frozenset()


async def test_of_several_requests_with_one_echoed_id_the_newest_is_found(store: Store) -> None:
    old, new = conversation("old", echoed_id="e"), conversation("new", echoed_id="e", opened=NOW + 1)
    async with store.begin() as unit:
        await unit.insert([new, old, conversation("other", echoed_id="e", source="OMS", opened=NOW + 2)])
        assert await unit.by_echoed([("CIS", "e"), ("CIS", "f")]) == {("CIS", "e"): new}


async def test_an_update_stores_the_new_state_and_the_next_version(store: Store) -> None:
    before = conversation("c")
    async with store.begin() as unit:
        await unit.insert([before], [leg("a", "c")])
    after = replace(before, document="{}", state="done", final=True, deadline=None, updated=NOW + 5, alarm=True)
    async with store.begin() as unit:
        assert await unit.update([after], [leg("a", "c", open=False), leg("b", "c")]) == frozenset()
    async with store.look() as reader:
        assert await reader.conversations(["c"]) == {"c": replace(after, version=2)}
        assert await reader.open_legs("MDM", "MeterReadings") == [leg("b", "c")]


async def test_an_update_of_what_another_has_changed_is_refused_with_its_legs(store: Store) -> None:
    stale, other = conversation("stale"), conversation("other")
    async with store.begin() as unit:
        await unit.insert([stale, other], [leg("a", "stale")])
        assert await unit.update([stale]) == frozenset()
    async with store.begin() as unit:
        late = replace(stale, state="done")
        refused = await unit.update([late, replace(other, state="done")], [leg("a", "stale", open=False)])
        assert refused == {"stale"}
    async with store.look() as reader:
        found = await reader.conversations(["stale", "other"])
        assert (found["stale"].state, found["stale"].version) == ("open", 2)
        assert (found["other"].state, found["other"].version) == ("done", 2)
        assert await reader.open_legs("MDM", "MeterReadings") == [leg("a", "stale")]


async def test_an_update_of_what_was_purged_is_refused(store: Store) -> None:
    async with store.begin() as unit:
        assert await unit.update([conversation("gone")], [leg("a", "gone")]) == {"gone"}


async def test_several_steps_of_one_conversation_fit_into_one_unit(store: Store) -> None:
    row = conversation("c")
    async with store.begin() as unit:
        await unit.insert([row])
        second = replace(row, version=2, state="partial")
        assert await unit.update([row, second]) == frozenset()
        assert await unit.update([second]) == {"c"}
        assert (await unit.conversations(["c"]))["c"] == replace(second, version=3)


async def test_open_legs_of_a_system_are_found_without_an_id(store: Store) -> None:
    async with store.begin() as unit:
        legs = [leg("a", "c"), leg("b", "c", open=False), leg("d", "c", noun="EndDeviceControls"), leg("e", "c")]
        await unit.insert([conversation("c")], [*legs, leg("f", "c", system="OMS"), leg("g", "c")])
        assert [one.id for one in await unit.open_legs("MDM", "MeterReadings")] == ["a", "e"]
        assert [one.id for one in await unit.open_legs("MDM", "MeterReadings", limit=10)] == ["a", "e", "g"]
        assert await unit.open_legs("MDM", "OutageEvents") == []


async def test_due_gives_open_conversations_whose_time_has_come_oldest_first(store: Store) -> None:
    async with store.begin() as unit:
        await unit.insert(
            [
                conversation("later", deadline=NOW + 0.001),
                conversation("now", deadline=NOW),
                conversation("long ago", deadline=NOW - 100),
                conversation("over", deadline=NOW - 100, final=True),
                conversation("never", deadline=None),
            ]
        )
    async with store.begin() as unit:
        assert [row.id for row in await unit.due(NOW, 10)] == ["long ago", "now"]
        assert [row.id for row in await unit.due(NOW, 1)] == ["long ago"]


async def test_what_was_said_comes_back_in_the_order_of_time(store: Store) -> None:
    long = bytes(range(256)) * 1_000
    said = Entry("c", NOW, "in", "CIS", "get", ODD, "m", "k", "PARTIAL", ("0.1", "4.1"), "as it came", long)
    bare = Entry("c", NOW, "out", "MDM")
    early = Entry("c", NOW - 1, "in", "CIS", body=b"")
    async with store.begin() as unit:
        await unit.insert([conversation("c"), conversation("d")])
        await unit.add_entries([said, bare, Entry("d", NOW, "in", "CIS")])
        await unit.add_entries([early])
        await unit.add_entries([])
    async with store.look() as reader:
        assert await reader.entries("c") == [early, said, bare]
        assert await reader.entries("unknown") == []


async def test_a_search_gives_what_matches_everything_newest_first(store: Store) -> None:
    rows = [
        conversation("aa", opened=NOW),
        conversation("ab", opened=NOW + 1, source="OMS", kind="cancel", verb="cancel", noun="EndDeviceControls"),
        conversation("b_", opened=NOW + 2, state="done", final=True, alarm=True, message_id="special"),
        conversation("bc", opened=NOW + 3, echoed_id="special"),
    ]
    async with store.begin() as unit:
        await unit.insert(rows, [leg("x", "aa"), leg("y", "ab", system="MS")])
    expected = {
        Search(): ["bc", "b_", "ab", "aa"],
        Search(id="a"): ["ab", "aa"],
        Search(id="b_"): ["b_"],
        Search(message_id="special"): ["bc", "b_"],
        Search(message_id="y"): ["ab"],
        Search(source="OMS"): ["ab"],
        Search(system="MDM"): ["aa"],
        Search(kind="cancel"): ["ab"],
        Search(verb="get", noun="MeterReadings"): ["bc", "b_", "aa"],
        Search(state="done"): ["b_"],
        Search(final=False): ["bc", "ab", "aa"],
        Search(alarm=True): ["b_"],
        Search(alarm=False, final=True): [],
        Search(opened_from=NOW + 1, opened_until=NOW + 3): ["b_", "ab"],
    }
    async with store.look() as reader:
        assert {asked: [row.id for row in await reader.search(asked)] for asked in expected} == expected
        assert [row.id for row in await reader.search(Search(), limit=2)] == ["bc", "b_"]


async def test_stuck_ones_are_in_alarm_or_overdue_or_forgotten(store: Store) -> None:
    async with store.begin() as unit:
        await unit.insert(
            [
                conversation("alarm", opened=NOW - 9, alarm=True, final=True),
                conversation("overdue", opened=NOW - 8, deadline=NOW - 61),
                conversation("forgotten", opened=NOW - 7, deadline=None, updated=NOW - 61),
                conversation("just due", deadline=NOW - 59),
                conversation("long schedule", deadline=NOW + 1e6, updated=NOW - 1e6),
                conversation("lives on", deadline=None, updated=NOW - 59),
                conversation("over", deadline=NOW - 100, final=True),
            ]
        )
    async with store.look() as reader:
        assert [row.id for row in await reader.stuck(NOW, 60)] == ["alarm", "overdue", "forgotten"]
        assert [row.id for row in await reader.stuck(NOW, 60, limit=1)] == ["alarm"]


async def test_a_purge_removes_what_is_over_and_old_with_all_of_its_own(store: Store) -> None:
    old = {"opened": NOW - 100, "updated": NOW - 50, "final": True}
    rows = [
        conversation("old", **old),
        conversation("older", **old | {"opened": NOW - 200}),
        conversation("still open", **old | {"final": False}),
        conversation("in alarm", **old, alarm=True),
        conversation("ended lately", **old | {"updated": NOW}),
    ]
    async with store.begin() as unit:
        await unit.insert(rows, [leg(f"leg of {row.id}", row.id) for row in rows])
        await unit.add_entries([Entry(row.id, NOW, "in", "CIS") for row in rows])
    gone = []
    for _ in range(3):
        async with store.begin() as unit:
            gone.append(await unit.purge(NOW - 10, limit=1))
    assert gone == [1, 1, 0]
    async with store.look() as reader:
        assert {row.id for row in await reader.search(Search())} == {"still open", "in alarm", "ended lately"}
        assert await reader.entries("old") == []
        assert await reader.conversations_of_legs(["leg of old"]) == {}
        assert len(await reader.open_legs("MDM", "MeterReadings", limit=10)) == 3


async def test_batches_of_thousands_are_stored_and_found(store: Store) -> None:
    rows = [conversation(f"c{number}", document="x" * 500) for number in range(5_000)]
    async with store.begin() as unit:
        assert await unit.insert(rows, [leg(f"leg of {row.id}", row.id) for row in rows]) == frozenset()
        assert await unit.insert(rows[:0]) == frozenset()
    async with store.begin() as unit:
        found = await unit.conversations_of_legs([f"leg of {row.id}" for row in rows])
        assert found == {f"leg of {row.id}": row for row in rows}
        assert await unit.update([replace(row, state="done") for row in rows]) == frozenset()
    async with store.look() as reader:
        assert len(await reader.search(Search(state="done"), limit=10_000)) == 5_000


async def test_nothing_of_a_unit_that_ends_in_an_error_is_there(store: Store) -> None:
    async def broken_off() -> None:
        async with store.begin() as unit:
            await unit.insert([conversation("c")], [leg("a", "c")])
            raise LookupError

    with pytest.raises(LookupError):
        await broken_off()
    async with store.look() as reader:
        assert await reader.search(Search()) == []
        assert await reader.open_legs("MDM", "MeterReadings") == []


async def test_a_unit_whose_call_failed_is_not_stored_even_if_the_error_is_swallowed(store: Store) -> None:
    async def swallowing() -> None:
        async with store.begin() as unit:
            await unit.insert([conversation("c")])
            with pytest.raises(IntegrityError):
                await unit.add_entries([Entry("unknown", NOW, "in", "CIS")])

    with pytest.raises(StoreUnavailable, match="nothing of it is stored"):
        await swallowing()
    async with store.begin() as unit:
        assert await unit.insert([conversation("c")]) == frozenset()


async def test_readers_see_what_is_committed_and_wait_for_nobody(store: Store) -> None:
    async with store.begin() as unit:
        await unit.insert([conversation("c")])
        async with store.look() as reader:
            assert await reader.search(Search()) == []
    async with store.look() as reader:
        assert len(await reader.search(Search())) == 1


async def test_a_store_that_is_opened_again_has_everything(store: Store, store_url: str) -> None:
    async with store.begin() as unit:
        await unit.insert([conversation("c")], [leg("a", "c")])
    await store.close()
    again = await open_store(store_url)
    async with again.look() as reader:
        assert await reader.conversations_of_legs(["a"]) == {"a": conversation("c")}
    await again.close()


async def test_what_follows_finds_by_its_key_the_conversation_that_was_opened_last(store: Store) -> None:
    old, new = conversation("old"), conversation("new", opened=NOW + 1)
    async with store.begin() as unit:
        await unit.insert([old, new], ties=[Tie("DC-1", "new"), Tie("DC-1", "old"), Tie(ODD, "old"), Tie(ODD, "old")])
        assert await unit.by_ties(["DC-1", ODD, "unknown", "\0"]) == {"DC-1": new, ODD: old}
    async with store.look() as reader:
        assert await reader.by_ties(["DC-1"]) == {"DC-1": new}
        assert await reader.by_ties([]) == {}


async def test_the_ties_of_a_refused_request_and_of_a_purged_one_lead_nowhere(store: Store) -> None:
    first, again = conversation("first", message_id="m", final=True), conversation("again", message_id="m")
    async with store.begin() as unit:
        await unit.insert([first], ties=[Tie("DC-1", "first")])
        assert await unit.insert([again], ties=[Tie("DC-2", "again")]) == {"again"}
        assert await unit.by_ties(["DC-1", "DC-2"]) == {"DC-1": first}
    async with store.begin() as unit:
        assert await unit.purge(NOW + 1) == 1
        assert await unit.by_ties(["DC-1"]) == {}
