"""Which messages a replay takes, and how far from their time they were sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.replay import Changes, LeftOut, ReplayMark, Selection, Spacing, read_mark
from tests.replay.recording import message, recorded


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"outcome": "delivered"}, None),
        ({"outcome": "duplicate"}, None),
        ({"incoming": False}, LeftOut.DIRECTION),
        ({"outcome": "dead:invalid"}, LeftOut.DEAD),
        ({"outcome": "imported:dead:invalid"}, LeftOut.DEAD),
        ({"outcome": "imported:delivered"}, LeftOut.IMPORTED),
        ({"outcome": "refused"}, LeftOut.DEAD),
        ({"kind": "ResponseMessage"}, LeftOut.ANSWER),
        ({"kind": "FaultMessage"}, LeftOut.ANSWER),
        ({"verb": "reply"}, LeftOut.ANSWER),
        ({"kind": "operator", "body": None}, LeftOut.OPERATOR),
        ({"body": None}, LeftOut.NO_BODY),
        ({"body": Changes("r-1").made(message()).body}, LeftOut.REPLAYED),
    ],
)
def test_what_came_in_is_sent_again_unless_there_is_a_reason(changes: dict[str, Any], why: LeftOut | None) -> None:
    assert Selection().leaves_out(recorded(**changes)) is why


def test_dead_letters_answers_and_what_went_out_are_sent_when_asked_for() -> None:
    everything = Selection(outgoing=True, dead=True, answers=True, replayed=True, imported=True)
    replayed = {"body": Changes("r-1").made(message()).body}
    dead, imported = {"outcome": "dead:invalid"}, {"outcome": "imported:delivered"}
    for changes in (replayed, dead, imported, {"kind": "ResponseMessage"}, {"incoming": False}):
        assert everything.leaves_out(recorded(**changes)) is None
    assert Selection(incoming=False, outgoing=True).leaves_out(recorded()) is LeftOut.DIRECTION


def test_a_mark_is_read_back_from_the_transport() -> None:
    mark = ReplayMark("20260317-1200-ab12", "17")
    assert read_mark(str(mark)) == mark
    assert [read_mark(text) for text in ("", "r", "/1", "r/")] == [None] * 4


def test_a_request_is_known_again_within_its_replay_alone() -> None:
    once, again, other = ReplayMark("a", "1"), ReplayMark("a", "2"), ReplayMark("b", "1")
    assert once.known_as("m") == again.known_as("m") != other.known_as("m")
    assert once.known_as("") != again.known_as("")
    assert once.known_as("m") != "m"


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200), st.sampled_from([0.5, 0.99, 1.0]))
def test_the_spacing_error_of_so_many_is_right_to_five_per_cent(errors: list[float], part: float) -> None:
    spacing = Spacing()
    for error in errors:
        spacing.add(error)
    told = Spacing(dict(spacing.classes)).quantile(part)
    assert told is not None
    exact = sorted(errors)[max(0, -(-int(part * 100) * len(errors) // 100) - 1)]
    assert exact * 0.999 <= told <= max(exact * 1.051, 1.01e-5)


def test_without_messages_there_is_no_error() -> None:
    assert Spacing().quantile(0.5) is None
