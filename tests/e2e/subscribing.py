"""`cimgate subscriptions` as a process, and what subscribers find in their queues."""

import asyncio
import signal
import sys

from typer.testing import CliRunner, Result

from gateway.broker.partner import Arrival
from gateway.cli import app
from tests.e2e.harness import GatewayProcess, drain, send_all
from tests.e2e.traffic import Parts, Sample, key_of, parts

POWER, METER, BACK = "3.26.0.85", "3.12.0.257", "3.26.0.216"


def environment_of(gateway: GatewayProcess) -> dict[str, str]:
    """The settings of a gateway, for commands beside it."""
    known = {name: value for name, value in gateway.environment.items() if name.startswith("CIMGATE_")}
    return {**known, "COLUMNS": "100", "NO_COLOR": "1"}


async def subscriptions(gateway: GatewayProcess, *arguments: str) -> Result:
    """Run `cimgate subscriptions` as the operator of a gateway does."""
    return await asyncio.to_thread(
        CliRunner().invoke, app, ["subscriptions", *arguments], env=environment_of(gateway), catch_exceptions=False
    )


async def create(gateway: GatewayProcess, *arguments: str) -> str:
    """Create a subscription; gives what the command says."""
    said = await subscriptions(gateway, "create", *arguments)
    assert said.exit_code == 0, said.output
    return said.output


async def killed(gateway: GatewayProcess, point: str, *arguments: str) -> None:
    """Run `cimgate subscriptions` and have it killed at a point."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "subscriptions", *arguments),
        env={**gateway.environment, "CIMGATE_CRASH": f"{point}:1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == -signal.SIGKILL


def event(*codes: str, device: str = "M-1") -> Parts:
    """An event of end devices, with these types, about one device."""
    made = parts("EndDeviceEvents", "created")
    inner = "".join(
        f"<EndDeviceEvent><mRID>{made.id}-{number}</mRID><createdDateTime>2026-03-01T04:12:00Z</createdDateTime>"
        f'<Assets><mRID>{device}</mRID></Assets><EndDeviceEventType ref="{code}"/></EndDeviceEvent>'
        for number, code in enumerate(codes)
    )
    made.payload = (
        f'  <Payload>\n    <EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#">{inner}'
        "</EndDeviceEvents>\n  </Payload>\n"
    )
    return made


async def send(url: str, *made: Parts) -> None:
    """Send to the gateway."""
    await send_all(url, [Sample(one.id, one.id, one.xml(), key_of(one)) for one in made])


def ids(arrivals: list[Arrival]) -> list[str]:
    """The MessageIDs of what arrived."""
    return [str(arrival.headers["cim-message-id"]) for arrival in arrivals]


async def taken(url: str, *names: str) -> dict[str, list[str]]:
    """The MessageIDs of what waits for each subscription; taken out of the queue."""
    found = await drain(url, [f"cim.sub.{name}" for name in names])
    return {name: ids(found[f"cim.sub.{name}"]) for name in names}
