import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app

EVENT = """<?xml version="1.0" encoding="UTF-8"?>
<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message">
  <Header>
    <Verb>created</Verb>
    <Noun>EndDeviceEvents</Noun>
    <Context>TESTING</Context>
    <Timestamp>2026-03-01T10:00:00Z</Timestamp>
    <Source>MS</Source>
    <MessageID>3f0c8c0e-4c39-4d0c-8c9a-0d5f3e1c7a11</MessageID>
  </Header>
  <Payload>
    <m:EndDeviceEvents xmlns:m="http://iec.ch/TC57/2011/EndDeviceEvents#">
      <m:EndDeviceEvent>
        <m:createdDateTime>2026-03-01T09:59:58Z</m:createdDateTime>
        <m:Assets>
          <m:mRID>9a5e2f52-6d3a-4a2f-9f39-6a86c3f6f0c1</m:mRID>
        </m:Assets>
        <m:EndDeviceEventType ref="3.26.0.85"/>
      </m:EndDeviceEvent>
    </m:EndDeviceEvents>
  </Payload>
</EventMessage>
"""

ROUTES = """[system]
name = "OMS"
address = "queue:cim.OMS"
sources = ["OMS"]

[[route]]
name = "outages"
noun = "EndDeviceEvents"
verbs = ["created"]
events = ["*.26.*.*"]
"""

Run = Callable[..., Result]


@pytest.fixture
def event() -> str:
    return EVENT


@pytest.fixture
def routes_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site-routes"
    folder.mkdir()
    (folder / "oms.toml").write_text(ROUTES, encoding="utf-8")
    return folder


@pytest.fixture
def cimgate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command in an empty folder, without settings from the surroundings, on 100 columns."""
    for name in [name for name in os.environ if name.startswith("CIMGATE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, catch_exceptions=False)

    return run
