"""No password of a URL reaches a person or a log."""

import pytest

from gateway.masking import mask
from gateway.settings import Settings

SHOWN = {
    "amqp://cim:hidden@broker:5672/grid": "amqp://cim:***@broker:5672/grid",
    "amqp://cim:hid@den@broker/": "amqp://cim:***@broker/",
    "postgresql://cim:hid/den@db/cim": "postgresql://cim:***@db/cim",
    "postgresql://db/cim?user=cim&password=hidden&sslmode=require": (
        "postgresql://db/cim?user=cim&password=***&sslmode=require"
    ),
    "postgresql://db/cim?sslpassword=hidden": "postgresql://db/cim?sslpassword=***",
    "lost amqp://a:hidden@b/ and amqp://c:hidden@d/, mail to x@y": (
        "lost amqp://a:***@b/ and amqp://c:***@d/, mail to x@y"
    ),
}


@pytest.mark.parametrize("text", SHOWN)
def test_a_password_is_hidden_in_whatever_form_a_url_has_it(text: str) -> None:
    assert mask(text) == SHOWN[text]
    assert "hid" not in mask(text)


@pytest.mark.parametrize("text", ["http://host:8080/replies", "sqlite:////var/lib/cimgate/store.db", "no URL: a@b"])
def test_what_holds_no_password_is_left_as_it_is(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("url", [url for url in SHOWN if url.startswith("postgresql")])
def test_the_settings_show_the_store_without_its_password(url: str) -> None:
    settings = Settings.model_validate({"store": url})
    assert settings.masked()["store"] == SHOWN[url]
    assert "hid" not in repr(settings)
