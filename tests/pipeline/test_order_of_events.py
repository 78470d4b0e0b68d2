"""Of two events that name the same device the later one is never begun before the earlier has come to its end."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.broker import Delivery
from gateway.pipeline.hand import Hand
from gateway.pipeline.parcel import Parcel

DEVICES = st.frozensets(st.sampled_from("abcd"), max_size=3)


def parcel(number: int, keys: frozenset[str], *, alone: bool) -> Parcel:
    return Parcel(
        0.0, number, Delivery.of_our_own(), "", {}, "", 0.0, 0.0, repeated=False,
        keys=frozenset() if alone else keys, alone=alone,
    )  # fmt: skip


@given(st.lists(st.tuples(DEVICES, st.booleans()), max_size=12), st.data())
def test_each_comes_to_its_end_and_those_of_a_device_in_their_order(
    given_: list[tuple[frozenset[str], bool]], data: st.DataObject
) -> None:
    coming = [parcel(number, keys, alone=alone) for number, (keys, alone) in enumerate(given_)]
    all_, hand, now, ended = list(coming), Hand(), 0.0, []
    under_way: list[Parcel] = []
    while coming or hand.waiting or under_way:
        step = data.draw(st.sampled_from(("arrive", "begin", "taken", "failed")))
        if step == "arrive" and coming:
            hand.add(coming.pop(0))
        elif step in ("taken", "failed") and under_way:
            one = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            if step == "failed" and one.posts < 3:
                one.posts += 1
                one.due = now + data.draw(st.integers(0, 5))
                hand.add(one)
            else:
                ended.append(one)
            hand.done(one)
        else:
            due = hand.due()
            assert due is not None or under_way or not hand.waiting, "all wait for each other"
            now = max(now, due or 0.0)
            if (one_more := hand.next(now)) is not None:
                assert all(not one_more.meets(other) for other in under_way)
                under_way.append(one_more)
            elif coming:
                hand.add(coming.pop(0))
            elif under_way:
                ended.append(under_way.pop())
                hand.done(ended[-1])
        assert hand.under_way == len(under_way)
    assert sorted(one.number for one in ended) == list(range(len(all_)))
    place = {one.number: position for position, one in enumerate(ended)}
    for one, other in itertools.combinations(all_, 2):
        if one.meets(other):
            assert place[one.number] < place[other.number]


def test_what_names_no_device_waits_for_nothing() -> None:
    hand = Hand()
    for number in range(3):
        hand.add(parcel(number, frozenset(), alone=False))
    hand.add(parcel(3, frozenset(), alone=True))
    assert [one.number for one in iter(lambda: hand.next(0.0), None)] == [0, 1, 2, 3]
