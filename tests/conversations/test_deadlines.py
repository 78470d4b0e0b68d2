import pytest

from gateway.conversations import deadline_of, seconds_of
from gateway.conversations.deadlines import LONGEST
from gateway.message import Envelope, Header, Message, MessageKind, Property, build, read
from gateway.message.envelope import Option, Request


def request(option: tuple[str, str] | None = None, item: tuple[str, str] | None = None) -> Message:
    header = Header("get", "MeterReadings", properties=(Property(*item),) if item else ())
    parameters = Request(options=(Option(*option),)) if option else None
    return read(build(Envelope(MessageKind.REQUEST, header, request=parameters)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30.0), (" 2.5 ", 2.5), ("PT30S", 30.0), ("PT1M30S", 90.0), ("P1DT12H", 129_600.0), ("PT0.5S", 0.5)],
)
def test_a_time_limit_is_seconds_or_a_duration(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5", "P", "PT", "P1M", "P1Y", "30s", "1e9", "٣٠"])
def test_what_is_no_time_limit_is_passed_over(text: str) -> None:
    assert seconds_of(text) is None
    assert deadline_of(request(option=("Timeout", text)), now=0.0, default=60.0) == 60.0


@pytest.mark.parametrize("name", ["Timeout", "timeout", "MaximumExecutionTime"])
def test_option_and_property_name_the_limit(name: str) -> None:
    assert deadline_of(request(option=(name, "5")), now=1.0, default=60.0, route=7.0) == 6.0
    assert deadline_of(request(item=(name, "PT8S")), now=1.0, default=60.0, route=7.0) == 9.0


def test_the_option_goes_before_the_property_the_route_before_the_default() -> None:
    assert deadline_of(request(("timeout", "5"), ("timeout", "8")), now=0.0, default=60.0, route=7.0) == 5.0
    assert deadline_of(request(), now=0.0, default=60.0, route=7.0) == 7.0
    assert deadline_of(request(), now=0.0, default=60.0) == 60.0


def test_zero_is_no_limit_and_nobody_is_waited_for_longer_than_a_year() -> None:
    assert deadline_of(request(("timeout", "0")), now=0.0, default=60.0) == 60.0
    assert deadline_of(request(("timeout", "9" * 30)), now=0.0, default=60.0) == LONGEST
