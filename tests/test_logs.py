import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import logs
from gateway.message import Header


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_log_store_gets_one_json_object_a_line_with_the_time_in_utc() -> None:
    stream = io.StringIO()
    logs.configure(stream=stream)
    structlog.get_logger().info("received", size=3)
    (line,) = _lines(stream)
    assert (line["event"], line["level"], line["size"]) == ("received", "info", 3)
    assert line["timestamp"].endswith("Z")


def test_a_person_at_a_terminal_gets_readable_lines() -> None:
    stream = _Terminal()
    logs.configure(stream=stream)
    structlog.get_logger().info("received", size=3)
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_console_lines_have_no_colours_off_a_terminal() -> None:
    stream = io.StringIO()
    logs.configure(log_format="console", stream=stream)
    structlog.get_logger().info("received", size=3)
    assert "received" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_lines_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    logs.configure("warning", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in _lines(stream)] == ["loud"]


def test_libraries_share_the_chain_from_warning_on() -> None:
    stream = io.StringIO()
    logs.configure("debug", stream=stream)
    logging.getLogger("aio_pika").info("quiet")
    logging.getLogger("aio_pika").warning("connection to %s lost", "amqp://cim:hidden@broker/")
    (line,) = _lines(stream)
    assert (line["event"], line["logger"]) == ("connection to amqp://cim:***@broker/ lost", "aio_pika")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_password_of_a_url_reaches_a_log(log_format: str) -> None:
    stream = io.StringIO()
    logs.configure(log_format=log_format, stream=stream)
    url = "amqp://cim:hidden@broker:5672/grid"
    error = ConnectionError(url)
    text = f"cannot reach {url}"
    structlog.get_logger().error(text, url=url, nested={"urls": [url]}, error=error, exc_info=error)
    logging.getLogger("aiormq").error("cannot reach %s", url, exc_info=error)
    assert "cim:***@broker:5672/grid" in stream.getvalue()
    assert "hidden" not in stream.getvalue()


def test_a_header_cannot_forge_lines_or_colours_on_a_terminal() -> None:
    stream = io.StringIO()
    logs.configure(log_format="console", stream=stream)
    structlog.get_logger().info("received", source="MDM\n2026 [error] forged\x1b[31m")
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_line_about_a_message_carries_its_five_identifiers() -> None:
    header = Header("created", "EndDeviceEvents", source="MS", message_id="m-1", correlation_id="c-1")
    assert logs.about(header, size=3) == {
        "message_id": "m-1",
        "correlation_id": "c-1",
        "verb": "created",
        "noun": "EndDeviceEvents",
        "source": "MS",
        "size": 3,
    }


def test_an_unreadable_message_has_the_same_keys_without_values() -> None:
    context = logs.about(None, message_id="from the transport")
    assert set(context) == {"message_id", "correlation_id", "verb", "noun", "source"}
    assert context["message_id"] == "from the transport"
    assert context["verb"] is None


def test_an_endless_identifier_is_cut() -> None:
    assert len(logs.about(Header("get", "x" * 100_000))["noun"]) < 300
