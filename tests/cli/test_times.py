from datetime import datetime

import pytest

from gateway.cli._shared import CommandError
from gateway.cli._times import moment

NOW = datetime(2026, 3, 17, 9, 42, 19).timestamp()  # noqa: DTZ001 - the clock of this machine is what people mean


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("now", datetime(2026, 3, 17, 9, 42, 19)),  # noqa: DTZ001
        ("today", datetime(2026, 3, 17)),  # noqa: DTZ001
        ("today 14:00", datetime(2026, 3, 17, 14)),  # noqa: DTZ001
        ("7:30", datetime(2026, 3, 17, 7, 30)),  # noqa: DTZ001
        ("07:30:15", datetime(2026, 3, 17, 7, 30, 15)),  # noqa: DTZ001
        ("yesterday", datetime(2026, 3, 16)),  # noqa: DTZ001
        ("yesterday 22:00", datetime(2026, 3, 16, 22)),  # noqa: DTZ001
        ("2026-01-02", datetime(2026, 1, 2)),  # noqa: DTZ001
        ("2026-01-02 10:30", datetime(2026, 1, 2, 10, 30)),  # noqa: DTZ001
        ("10m ago", datetime(2026, 3, 17, 9, 32, 19)),  # noqa: DTZ001
        (" 10m ", datetime(2026, 3, 17, 9, 32, 19)),  # noqa: DTZ001
        ("2h ago", datetime(2026, 3, 17, 7, 42, 19)),  # noqa: DTZ001
        ("2026-01-02T10:30Z", datetime.fromisoformat("2026-01-02T10:30+00:00")),
    ],
)
def test_a_time_is_read_as_people_write_it(written: str, meant: datetime) -> None:
    assert moment(written, "--since", NOW) == meant.timestamp()


@pytest.mark.parametrize("written", ["", "last week", "today at noon", "25:00", "ago", "today14:00 ago", "yesterday 9"])
def test_what_is_no_time_is_refused_with_what_would_be(written: str) -> None:
    with pytest.raises(CommandError) as told:
        moment(written, "--since", NOW)
    assert "--since" in told.value.text
    assert "how long ago" in told.value.advice
