"""Signatures as Standard Webhooks has them, and what is no secret."""

import base64

import pytest

from gateway.endpoints.signing import secret_of, webhook_headers, webhook_id

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def test_a_secret_signs_id_time_and_body_and_several_sign_each() -> None:
    one, two = secret_of(KEY), b"x" * 24
    both = webhook_headers([one, two], "msg_1", 1_700_000_000, b"<a/>")
    single = webhook_headers([two], "msg_1", 1_700_000_000, b"<a/>")
    assert (both["webhook-id"], both["webhook-timestamp"]) == ("msg_1", "1700000000")
    assert both["webhook-signature"].split()[1] == single["webhook-signature"]
    for changed in (
        webhook_headers([two], "msg_2", 1_700_000_000, b"<a/>"),
        webhook_headers([two], "msg_1", 1_700_000_001, b"<a/>"),
        webhook_headers([two], "msg_1", 1_700_000_000, b"<b/>"),
    ):
        assert changed["webhook-signature"] != single["webhook-signature"]
    assert "webhook-signature" not in webhook_headers([], "msg_1", 1, b"")


def test_an_event_has_one_id_and_no_other_event_has_it() -> None:
    assert webhook_id("HES", "m-1", b"<a/>") == webhook_id("HES", "m-1", b"<a/>")
    others = {webhook_id(*parts) for parts in (("HES", "m-1", b""), ("HESm", "-1", b""), ("HES", "m-1", b"x"))}
    assert len(others) == 3


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0123456789", "no secret such as whsec_"),
        ("whsec_%%%", "no base64"),
        ("whsec_" + base64.b64encode(b"short").decode(), "5 bytes; 24 to 64"),
    ],
)
def test_what_is_no_secret_is_refused_without_being_told(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        secret_of(text)
    assert text.removeprefix("whsec_") not in str(refused.value)


def test_the_example_that_libraries_of_the_scheme_test_themselves_with_has_its_signature() -> None:
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = webhook_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
