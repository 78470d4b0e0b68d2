"""What every journal must do: the same tests run on SQLite and on PostgreSQL."""

from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.store.journal import Count, Handover, Journal, JournalSearch, Passage, id_at, time_of
from gateway.store.journal.opening import open_journal
from tests.store.journal.passages import FULL, NOW, bare, passage

ODD = "ü 'quoted' \"double\" %_ \\ 電気 🔌 \0 \ud800"
EVERYTHING = JournalSearch()


async def ids(journal: Journal, search: JournalSearch = EVERYTHING, limit: int = 1_000) -> list[int]:
    return [one.id for one in await journal.find(search, limit)]


async def purged(journal: Journal, before: float, *, noun: str | None = None, keep: str | None = None) -> int:
    gone = 0
    while some := await journal.purge(before, noun=noun, keep=keep):
        gone += some
    return gone


async def test_a_message_comes_back_as_it_was_written(journal: Journal) -> None:
    empty, headers_only = passage(1, body=b""), passage(2, body=None, size=5_000)
    odd = passage(
        3, source=ODD, message_id=ODD, events=(ODD,), devices=(ODD, ""), reason=ODD, routes=(ODD,), outcome=ODD,
        deliveries=(Handover(ODD),), conversation="",
    )  # fmt: skip
    large = passage(4, body=bytes(range(256)) * 1_000, size=256_000)
    every = [FULL, empty, headers_only, odd, large]
    await journal.write(every)
    assert [await journal.get(one.id) for one in every] == every
    assert await journal.get(id_at(NOW + 9)) is None
    assert await journal.bodies([one.id for one in every]) == {
        one.id: one.body for one in every if one.body is not None
    }
    assert await journal.bodies([]) == {}
    assert await journal.find(EVERYTHING) == bare(*reversed(every))
    assert [one async for one in journal.walk(EVERYTHING)] == every
    assert FULL.at == NOW


@pytest.mark.parametrize(
    "search",
    [
        JournalSearch(message_id=FULL.message_id),
        JournalSearch(correlation_id="ORDER 17"),
        JournalSearch(device="NTH-1"),
        JournalSearch(device="cb4eefd4-d5ca-47fb-b6c6-23153832e716"),
        JournalSearch(conversation="c-1"),
        JournalSearch(direction="out"),
        JournalSearch(source="HES-NORTH"),
        JournalSearch(source="HES-*"),
        JournalSearch(system="OMS"),
        JournalSearch(kind="event"),
        JournalSearch(verb="created"),
        JournalSearch(noun="EndDeviceEvents"),
        JournalSearch(noun="EndDevice*", verb="*"),
        JournalSearch(outcome="dead:*"),
        JournalSearch(rule="oms.toml:4", code="0.0", keep="long"),
        JournalSearch(context="TESTING"),
        JournalSearch(event="3.26.0.85"),
        JournalSearch(event="*.26.*.216"),
        JournalSearch(text="STRASSE"),
        JournalSearch(since=NOW + 4, until=NOW + 6),
        JournalSearch(device="NTH-1", noun="EndDeviceEvents", event="3.26.*.*", since=NOW, until=NOW + 6),
    ],
)
async def test_a_message_is_found_by_all_that_is_known_of_it(journal: Journal, search: JournalSearch) -> None:
    wanted = replace(
        FULL, id=id_at(NOW + 5), context="TESTING", outcome="dead:invalid", reason="Straße 5: element missing"
    )
    await journal.write([passage(at, message_id="NTH-1", correlation_id="c-1") for at in range(4)])
    await journal.write([wanted, passage(6), passage(7, devices=("d7aa95bf-17df-4d49-82ff-9465022aedaa",))])
    assert await journal.find(search) == bare(wanted)
    assert [one async for one in journal.walk(search)] == [wanted]


@pytest.mark.parametrize(
    "search",
    [
        JournalSearch(message_id="message"),
        JournalSearch(message_id="message-at-*"),
        JournalSearch(noun="meterreadings"),
        JournalSearch(noun="Meter"),
        JournalSearch(event="*"),
        JournalSearch(text="missing"),
        JournalSearch(since=NOW + 10),
        JournalSearch(until=NOW),
        JournalSearch(since=float("inf")),
        JournalSearch(until=float("-inf")),
        JournalSearch(message_id=ODD, device="'; DROP TABLE passage; --"),
    ],
)
async def test_what_does_not_apply_in_full_is_not_found(journal: Journal, search: JournalSearch) -> None:
    await journal.write([passage(at) for at in range(5)])
    assert await journal.find(search) == []
    assert await journal.stats(search) == []


@pytest.mark.parametrize("search", [EVERYTHING, JournalSearch(noun="MeterReadings"), JournalSearch(device="D")])
@pytest.mark.parametrize("oldest_first", [False, True])
async def test_pages_follow_each_other_while_others_write(
    journal: Journal, search: JournalSearch, oldest_first: bool
) -> None:
    written = [passage(at, devices=("D",), source=f"S{at % 3}") for at in range(25)]
    await journal.write(written)
    ordered = written if oldest_first else written[::-1]
    found: list[Passage] = []
    while len(found) < 25:
        after = found[-1].id if found else None
        page = await journal.find(search, 10, after=after, oldest_first=oldest_first)
        found += page
        await journal.write([passage(1_000 + len(found), devices=("D",))])
    assert found[:25] == bare(*ordered)
    assert len({one.id for one in found}) == len(found) == (27 if oldest_first else 25)


async def test_a_message_of_which_nothing_is_known_is_kept_by_itself(journal: Journal) -> None:
    unreadable = Passage(id_at(NOW), "in", verdict="unreadable", outcome="dead:unreadable", size=7)
    await journal.write([unreadable])
    assert await journal.get(unreadable.id) == unreadable
    assert await journal.find(EVERYTHING) == [unreadable]


async def test_ids_that_were_written_before_stay_as_they_are(journal: Journal) -> None:
    """A write of unknown outcome is repeated."""
    first, second, third = passage(1), passage(2), passage(3)
    await journal.write([first, second, replace(first, noun="Other")])
    await journal.write([replace(second, noun="Other"), third, first])
    await journal.write([first, second, third])
    await journal.write([])
    assert [one async for one in journal.walk(EVERYTHING)] == [first, second, third]
    assert await ids(journal, JournalSearch(noun="MeterReadings")) == [third.id, second.id, first.id]


async def test_ids_rise_and_hold_the_time(journal: Journal, store_url: str) -> None:
    made = [journal.new_id(NOW), journal.new_id(NOW + 1), journal.new_id(NOW - 60), journal.new_id(NOW - 60)]
    assert all(one < other for one, other in pairwise(made))
    assert [time_of(one) for one in made[:2]] == [NOW, NOW + 1]
    assert made[3] < id_at(NOW + 1.001)
    assert time_of(journal.new_id()) > NOW
    other = await open_journal(store_url)
    assert {other.new_id(NOW), other.new_id(NOW + 1)}.isdisjoint(made)
    await other.close()


async def test_thousands_are_found_whatever_order_they_came_in(journal: Journal) -> None:
    """Enough for several runs of the index, with latecomers below what it has taken in already."""
    early = [passage(at / 100, devices=(f"D{at % 50}",), events=(f"3.26.0.{at % 40}",)) for at in range(6_500)]
    late = [passage(at / 100 + 0.005, devices=(f"D{at % 50}",), noun="Late") for at in range(0, 6_500, 100)]
    newest = [passage(100 + at / 100, devices=(f"D{at % 50}",), source="CIS 2") for at in range(6_500)]
    for at in range(0, 6_500, 500):
        await journal.write(early[at : at + 500])
    await journal.write(late)
    for at in range(0, 6_500, 500):
        await journal.write(newest[at : at + 500])
    every = sorted([*early, *late, *newest], key=lambda one: one.id)

    async def check(search: JournalSearch, expected: list[Passage]) -> None:
        assert [one.id async for one in journal.walk(search)] == [one.id for one in expected]
        assert await ids(journal, search, 70) == [one.id for one in reversed(expected[-70:])]
        assert sum(one.messages for one in await journal.stats(search)) == len(expected)

    await check(EVERYTHING, every)
    await check(JournalSearch(device="D0"), [one for one in every if "D0" in one.devices])
    await check(JournalSearch(device="D7", until=NOW + 99), [one for one in early if "D7" in one.devices])
    await check(JournalSearch(noun="Late"), late)
    await check(JournalSearch(event="*.26.*.*", source="CIS"), early)
    await check(JournalSearch(event="3.26.0.3*"), [one for one in early if one.events[0].startswith("3.26.0.3")])
    await check(JournalSearch(source="CIS*", noun="Meter*", since=NOW + 10), [
        one for one in every if one.noun == "MeterReadings" and one.at >= NOW + 10
    ])  # fmt: skip
    for one in (early[0], early[-1], late[3], newest[0], newest[-1]):
        assert await ids(journal, JournalSearch(message_id=one.message_id)) == [one.id]
    assert await purged(journal, NOW + 50) == len([one for one in every if one.at < NOW + 50])
    left = [one for one in every if one.at >= NOW + 50]
    await check(EVERYTHING, left)
    await check(JournalSearch(device="D0"), [one for one in left if "D0" in one.devices])
    await check(JournalSearch(noun="Late"), [one for one in left if one.noun == "Late"])


async def test_counts_are_by_the_hour_and_the_sort(journal: Journal) -> None:
    hour = NOW // 3600 * 3600
    await journal.write(
        [
            passage(0, routes=("a",)), passage(1, routes=("b",)), passage(2, source="MDM"), passage(3_600),
            passage(3_601, outcome="dead:invalid", reason="why"),
        ]
    )  # fmt: skip
    common = ("in", "MeterReadings", "get")
    assert await journal.stats(EVERYTHING) == [
        Count(hour, *common, "CIS", "delivered", 2),
        Count(hour, *common, "MDM", "delivered", 1),
        Count(hour + 3_600, *common, "CIS", "dead:invalid", 1),
        Count(hour + 3_600, *common, "CIS", "delivered", 1),
    ]
    by_day = await journal.stats(JournalSearch(source="CIS", until=NOW + 3_601), per=86_400)
    assert by_day == [Count(NOW // 86_400 * 86_400, *common, "CIS", "delivered", 3)]
    assert await journal.stats(JournalSearch(text="WHY")) == [Count(hour + 3_600, *common, "CIS", "dead:invalid", 1)]


async def test_a_purge_takes_what_is_old_by_noun_and_class(journal: Journal) -> None:
    day = 86_400
    kept = [passage(-40 * day, keep="long", noun="EndDeviceControls"), passage(0), passage(1, keep="short")]
    old = [passage(-40 * day + at, keep="short", devices=("D",), reason="r") for at in range(1, 6)]
    older = [passage(-50 * day + at, keep="short") for at in range(3)]
    readings = [passage(-at, noun="Readings") for at in range(1, 4)]
    await journal.write([*kept, *old, *older, *readings])
    assert await purged(journal, NOW - day, keep="short") == 8
    assert await purged(journal, NOW - day, keep="short") == 0
    assert await purged(journal, NOW - 2, noun="Readings") == 1
    assert await purged(journal, NOW + day, noun="Readings", keep="short") == 0
    left = sorted([*kept, *readings[:2]], key=lambda one: one.id)
    assert [one async for one in journal.walk(EVERYTHING)] == left
    assert await ids(journal, JournalSearch(device="D")) == []
    assert await ids(journal, JournalSearch(text="r")) == []
    assert await purged(journal, NOW + day) == 5
    assert await ids(journal) == []


async def test_a_purge_takes_no_more_at_once_than_it_may(journal: Journal) -> None:
    await journal.write([passage(at) for at in range(10)])
    assert await journal.purge(NOW + 8, limit=5) == 5
    assert await journal.purge(NOW + 8, limit=5) == 3
    assert await ids(journal) == [id_at(NOW + 9), id_at(NOW + 8)]


async def test_a_journal_that_takes_too_much_gives_up_its_oldest(journal: Journal) -> None:
    day = 86_400
    body = bytes(range(256)) * 4
    await journal.write([passage(at * day / 200, body=body, message_id=str(at)) for at in range(1_000)])
    whole = await journal.size()
    while await journal.purge_to(whole // 2, limit=100):
        pass
    assert 0 < await journal.size() <= whole // 2
    left = await journal.find(EVERYTHING, 1_000)
    assert [one.message_id for one in left] == [str(999 - at) for at in range(len(left))]
    assert len(left) > 200
    assert await journal.purge_to(whole) == 0


async def test_a_journal_that_is_opened_again_has_everything(journal: Journal, store_url: str) -> None:
    await journal.write([FULL, passage(1)])
    await journal.close()
    again = await open_journal(store_url)
    assert await again.find(JournalSearch(device="NTH-1")) == bare(FULL)
    await again.write([passage(2), passage(3, noun="Other")])
    assert len(await ids(again)) == 4
    await again.close()


async def test_what_one_has_written_another_finds_at_once(journal: Journal, store_url: str) -> None:
    other = await open_journal(store_url)
    assert await ids(other) == []
    await journal.write([passage(1, noun="First")])
    assert await ids(other, JournalSearch(noun="First")) == [id_at(NOW + 1)]
    await other.write([passage(2, noun="Second", events=("3.26.0.85",)), passage(3, noun="First")])
    assert await ids(journal, JournalSearch(noun="*d", event="*.85")) == [id_at(NOW + 2)]
    assert await journal.get(id_at(NOW + 3)) == passage(3, noun="First")
    await other.close()
