import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "cimgate.service"


@pytest.fixture(scope="module")
def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not name.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DynamicUser", "yes"), ("NoNewPrivileges", "yes"), ("CapabilityBoundingSet", ""), ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"), ("PrivateTmp", "yes"), ("PrivateDevices", "yes"), ("MemoryDenyWriteExecute", "yes"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"), ("SystemCallArchitectures", "native"),
        ("UMask", "0077"),
    ],
)  # fmt: skip
def test_the_service_runs_with_the_least_rights(settings: dict[str, list[str]], name: str, value: str) -> None:
    assert settings[name] == [value]


def test_a_stop_leaves_time_to_finish_and_a_crash_is_followed_by_a_start(settings: dict[str, list[str]]) -> None:
    assert settings["KillSignal"] == ["SIGTERM"]
    assert settings["TimeoutStopSec"] == ["30s"]
    assert settings["Restart"] == ["on-failure"]
    assert settings["StartLimitIntervalSec"] == ["0"]


def test_secrets_come_from_a_file_that_is_not_the_unit(settings: dict[str, list[str]]) -> None:
    assert settings["EnvironmentFile"] == ["/etc/cimgate/cimgate.env"]
    assert "AMQP" not in " ".join(settings["Environment"])
    assert "CIMGATE_AMQP_PASSWORD=\n" in (UNIT.parent / "cimgate.env").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("ExecStart=/opt/cimgate/bin/cimgate", "ExecStart=/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
