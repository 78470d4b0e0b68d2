"""Where a dead letter goes when it is tried again, and what it says of itself."""

from collections.abc import Mapping

import pytest

from gateway.broker.letter import Letter
from gateway.endpoints import AmqpAddress
from gateway.endpoints.amqp import HeaderValue
from gateway.pipeline.retrial import NowhereToGo, destination, place_of, retrial

CAME: dict[str, HeaderValue] = {
    "reason": "invalid", "exchange": "cim.in", "routing_key": "TESTING.EVENTS.MeterReadings.created",
    "first_seen": "2026-03-01T08:00:00.000+00:00", "cim-message-id": "m-1",
}  # fmt: skip
POSTED: dict[str, HeaderValue] = {
    "reason": "undeliverable", "receiver": "https://mdm.example/replies", "endpoint": "mdm", "posts": 3,
}  # fmt: skip


def letter(headers: Mapping[str, HeaderValue]) -> Letter:
    return Letter(
        "l-1", 1, 1, b"<a/>", headers,
        type="created.MeterReadings", source="HES", correlation_id="c-1", reply_to="replies",
    )  # fmt: skip


def test_what_was_refused_goes_to_the_gateway_under_the_key_it_came_with() -> None:
    address = destination(letter(CAME))
    assert address == AmqpAddress("cim.in", "TESTING.EVENTS.MeterReadings.created")
    assert place_of(address) == "cim.in TESTING.EVENTS.MeterReadings.created"
    assert destination(letter(CAME), key="X.Y").routing_key == "X.Y"


def test_what_a_replay_sent_stays_known_as_that_and_is_not_taken_for_the_recorded_one() -> None:
    headers = retrial(
        letter(CAME | {"cim-replay": "20260317-1200-ab12/17"}), destination(letter(CAME))
    ).properties.headers
    assert headers is not None
    assert headers["cim-replay"] == "20260317-1200-ab12/17"


def test_an_answer_that_was_posted_goes_back_to_the_queue_of_its_endpoint() -> None:
    address = destination(letter(POSTED))
    assert (address.routing_key, place_of(address)) == ("cim.to.mdm", "https://mdm.example/replies")
    headers = retrial(letter(POSTED), address).properties.headers
    assert headers is not None
    assert headers["cim-url"] == "https://mdm.example/replies"
    assert headers["cim-redelivered"] is True, "a post without an answer may have arrived"


@pytest.mark.parametrize(
    ("headers", "key", "why"),
    [
        (POSTED | {"url_cut": True}, "", "post it by hand"),
        (CAME | {"masked": True}, "", "Let its source send it again"),
        ({"reason": "undeliverable", "rule": "no-reply-address", "routing_key": "k"}, "", "discard the letter"),
        ({"reason": "internal-error"}, "", "--key"),
        ({"reason": "undeliverable", "receiver": "queue:cim.MDM"}, "X.Y", "takes no routing key"),
        ({"reason": "undeliverable", "receiver": "fax:42"}, "", "neither queue:NAME nor topic:NAME"),
    ],
)
def test_what_has_no_way_back_says_what_to_do(headers: dict[str, HeaderValue], key: str, why: str) -> None:
    with pytest.raises(NowhereToGo, match=why):
        destination(letter(headers), key=key)


def test_a_masked_message_goes_out_once_a_person_has_replaced_it() -> None:
    assert destination(letter(CAME | {"masked": True}), mended=True).exchange == "cim.in"


@pytest.mark.parametrize(
    ("headers", "tried", "count", "repeated"),
    [
        (CAME, 0, 1, False),
        (CAME | {"cim-retried": 2}, 0, 3, False),
        (CAME, 1, 2, True),
        (CAME | {"reason": "internal-error"}, 0, 1, True),
    ],
)
def test_a_retry_says_how_often_it_was_tried_and_whether_it_may_have_arrived(
    headers: dict[str, HeaderValue], tried: int, count: int, repeated: bool
) -> None:
    dead = letter(headers)
    made = retrial(dead, destination(dead), tried=tried)
    assert made.body == b"<a/>"
    assert (made.properties.correlation_id, made.properties.reply_to) == ("c-1", "replies")
    told = made.properties.headers or {}
    assert (told["cim-retried"], told.get("cim-redelivered", False)) == (count, repeated)
    assert told["cim-first-seen"] == "2026-03-01T08:00:00.000+00:00"


def test_what_goes_straight_to_a_receiver_looks_as_the_gateway_sent_it() -> None:
    dead = letter({"reason": "undeliverable", "receiver": "topic:TESTING.REPLY.CIS", "cim-message-id": "m-1"})
    made = retrial(dead, destination(dead))
    assert made.address == AmqpAddress("cim.out", "TESTING.REPLY.CIS")
    assert (made.properties.type, made.properties.app_id) == ("created.MeterReadings", "HES")
    assert (made.properties.headers or {})["cim-message-id"] == "m-1"
