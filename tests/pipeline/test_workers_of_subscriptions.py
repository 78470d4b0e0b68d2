"""Which worker hands over the events of a subscription, and what is told of one that cannot."""

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from gateway.endpoints import NO_ENDPOINTS
from gateway.message import DEFAULT_LIMITS
from gateway.outages import OutageCodes
from gateway.pipeline.tally import Tally
from gateway.pipeline.workers import Workers
from gateway.store.subscriptions import Progress
from gateway.subscriptions import Filter, Subscription, ToQueue, ToWebhook

if TYPE_CHECKING:
    from gateway.broker import Session
    from gateway.pipeline.burial import Burial


def workers() -> Workers:
    return Workers([], NO_ENDPOINTS, cast("Burial", None), OutageCodes(), DEFAULT_LIMITS)


def test_nothing_is_posted_to_a_url_whose_endpoint_was_taken_away() -> None:
    subscription = Subscription("oms", Filter(), ToWebhook("https://oms.example/in"))
    worker = workers()(subscription, Tally("oms"))
    with pytest.raises(OSError, match=r"no table \[\[endpoints\]\] of the settings covers the URL https://oms.example"):
        asyncio.run(worker.run(cast("Session", None)))


def test_what_a_subscriber_takes_itself_has_no_worker() -> None:
    with pytest.raises(TypeError, match="does not deliver"):
        workers()(Subscription("mine", Filter(), ToQueue()), Tally("mine"))


def test_what_is_counted_is_written_once_and_again_where_the_store_was_away() -> None:
    tally = Tally("oms")
    tally.delivered(3, 100.0)
    tally.holds(2, 90.0)
    first = tally.taken_out()
    assert first is not None
    assert first == Progress("oms", 3, 100.0, first.at, "", 2, 90.0)
    assert tally.taken_out() is None
    tally.put_back(first)
    tally.delivered(1, 101.0)
    tally.held("it answered 503")
    second = tally.taken_out()
    assert second is not None
    assert (second.delivered, second.sent, second.trouble) == (4, 101.0, "it answered 503")
