import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from gateway import __version__
from gateway.settings import Settings

Run = Callable[..., Result]


def test_the_settings_are_shown_with_their_origin_and_without_passwords(
    cimgate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site.toml").write_text('name = "north"\namqp_password = "hidden"\n', encoding="utf-8")
    monkeypatch.setenv("CIMGATE_AMQP_URL", "amqp://cim:hidden@broker:5672/grid")
    result = cimgate("--config", "site.toml", "--log-level", "debug", "config", "show")
    assert result.exit_code == 0
    words = {line.split()[0]: line.split()[1:] for line in result.output.splitlines() if line[:1].isalpha()}
    assert words["amqp_url"] == ["amqp://cim:***@broker:5672/grid", "environment", "CIMGATE_AMQP_URL"]
    assert words["amqp_password"] == ["***", "file", "site.toml:2"]
    assert words["name"] == ["north", "file", "site.toml:1"]
    assert words["log_level"] == ["debug", "argument", "--log-level"]
    assert words["max_message_bytes"] == ["16777216", "(16", "MiB)", "default"]
    assert "hidden" not in result.output


def test_the_settings_as_json_have_a_member_for_each(cimgate: Run) -> None:
    shown = json.loads(cimgate("config", "show", "--json").stdout)
    assert set(shown) == set(Settings.model_fields)
    assert shown["prefetch"]["value"] == 500
    assert shown["prefetch"]["source"] == "default"
    assert all(setting["description"] for setting in shown.values())


def test_a_misspelt_variable_is_pointed_out(cimgate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIMGATE_PREFECH", "5")
    result = cimgate("config", "show")
    assert result.exit_code == 0
    assert "Did you mean CIMGATE_PREFETCH?" in result.stderr


def test_wrong_settings_end_in_a_line_each(cimgate: Run, tmp_path: Path) -> None:
    (tmp_path / "cimgate.toml").write_text("prefetch = 0\nbatch = 0\n", encoding="utf-8")
    result = cimgate("config", "show")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "cimgate: cimgate.toml:1: prefetch is 0: must be at least 1.",
        "cimgate: cimgate.toml:2: batch is 0: must be at least 1.",
    ]


def test_verbose_means_the_debug_level(cimgate: Run) -> None:
    assert json.loads(cimgate("-v", "config", "show", "--json").stdout)["log_level"]["value"] == "debug"


def test_the_version_is_shown(cimgate: Run) -> None:
    assert cimgate("--version").output == f"cimgate {__version__}\n"


def test_an_unknown_command_is_a_usage_error(cimgate: Run) -> None:
    assert cimgate("valdate").exit_code == 2
