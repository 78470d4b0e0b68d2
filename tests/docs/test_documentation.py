"""What the pages say is what happens: their commands run, their links lead somewhere, the reference is the code's."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generate import FILE, reference
from tests.e2e.harness import PATIENCE, GatewayProcess, send_all
from tests.e2e.traffic import Sample, key_of, parts

TOP = Path(__file__).parents[2]
PAGES = [TOP / "README.md", TOP / "CONTRIBUTING.md", *sorted((TOP / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)?(#[^)]+)?\)")


def examples() -> Iterator[tuple[str, str, list[str]]]:
    """Every command of the pages with the output shown under it."""
    for page in PAGES:
        for block in BLOCK.findall(page.read_text()):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, *shown = part.rstrip("\n").split("\n")
                yield page.name, command, shown


def as_pattern(shown: list[str]) -> str:
    """A line of dots stands for any lines, dots at the end of a line for its rest."""
    lines = [
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in shown
    ]  # fmt: skip
    return "".join(lines)


def test_the_reference_is_what_the_code_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIMGATE_AMQP_URL", raising=False)
    assert FILE.read_text() == reference(), "run python -m docs.generate"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target, _ in LINK.findall(page.read_text()):
        assert not target or (page.parent / target).exists(), target


async def test_every_command_does_what_its_page_shows(amqp_url: str, tmp_path: Path) -> None:
    commands = list(examples())
    assert len(commands) >= 10
    gateway = GatewayProcess(amqp_url, tmp_path)
    del gateway.environment["CIMGATE_ROUTES"]  # the pages speak of the routes that come along
    await gateway.start()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CIMGATE_")}
    environment |= {
        "CIMGATE_AMQP_URL": amqp_url,
        "CIMGATE_STORE": gateway.environment["CIMGATE_STORE"],
        "COLUMNS": "100",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        for page, command, shown in commands:
            process = await asyncio.create_subprocess_shell(
                command, cwd=TOP, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            output = (await process.communicate())[0].decode()
            assert re.fullmatch(as_pattern(shown), output), f"{page}: $ {command}\n{output}"
    finally:
        assert await gateway.stop() == 0


async def test_a_subscriber_hears_of_outages_but_not_of_its_own(amqp_url: str, tmp_path: Path) -> None:
    gateway = GatewayProcess(amqp_url, tmp_path)
    await gateway.start()
    process = await asyncio.create_subprocess_exec(
        sys.executable, TOP / "docs/follow_outages.py", "OMS",
        env=os.environ | {"CIMGATE_AMQP_URL": amqp_url}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"listening\n"
        outage, other = (parts("EndDeviceEvents", "created", event=code) for code in ("3.26.0.85", "3.12.0.257"))
        own, last = outage.xml().replace(b">GEN<", b">OMS<"), outage.xml().replace(b">GEN<", b">HES<")
        for body in (own, other.xml(), last):
            await send_all(amqp_url, [Sample("event", "event", body, key_of(outage))])
        heard = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        assert heard == b"created.EndDeviceEvents from HES: 0 devices\n"
    finally:
        process.kill()
        await process.wait()
        assert await gateway.stop() == 0
