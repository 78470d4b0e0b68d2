"""An endpoint that fails is tried by one attempt at a time, ever later, until one succeeds."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.breaker import LONGEST_PAUSE, Breaker

PAUSES = st.floats(0, 100)


@given(st.lists(PAUSES, min_size=1, max_size=30), st.integers(1, 100), st.floats(0.8, 1.2))
def test_after_a_failure_one_attempt_at_a_time_is_made_and_the_pause_grows_to_a_minute(
    later: list[float], at_once: int, jitter: float
) -> None:
    breaker, now, before = Breaker(), 0.0, 0.0
    assert breaker.room(now, at_once) == at_once
    for pause in later:
        began, now = now, now + pause + 0.001
        breaker.failed(began, now, jitter, dead=False)
        until = breaker.closed_until
        assert before <= until - now + 1e-6 <= LONGEST_PAUSE * jitter + 1e-3
        assert breaker.room(now, at_once) == 0
        assert breaker.room(until, at_once) == 1
        before, now = min(until - now, LONGEST_PAUSE * jitter), until
    breaker.succeeded()
    assert breaker.room(now, at_once) == at_once


@given(st.integers(2, 100), st.floats(0, 10))
def test_attempts_that_fail_side_by_side_count_as_one(at_once: int, wait: float) -> None:
    alone, several = Breaker(), Breaker()
    alone.failed(0.0, 1.0, 1.0, dead=False, wait=wait)
    new = [several.failed(0.0, 1.0, 1.0, dead=False, wait=wait)]
    new += [several.failed(0.5, 1.0, 1.0, dead=False, wait=wait) for _ in range(at_once)]
    assert new == [True, *[False] * at_once]
    assert several.closed_until == alone.closed_until
    assert several.succeeded() == 1.0
    assert several.succeeded() is None


@given(st.floats(0, 600))
def test_an_endpoint_that_asks_for_a_pause_gets_it(wait: float) -> None:
    breaker = Breaker()
    breaker.failed(0.0, 1.0, 1.0, dead=False, wait=wait)
    assert breaker.room(0.999 + wait, 5) == 0
    assert breaker.room(1.0 + max(wait, 0.5), 5) == 1
