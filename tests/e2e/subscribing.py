"""`cimgate subscriptions` as a process, and what subscribers find in their queues."""

import asyncio
import sys
from dataclasses import dataclass

from gateway.broker.partner import Arrival
from tests.e2e.harness import GatewayProcess, drain, send_all
from tests.e2e.traffic import Parts, Sample, key_of, parts

POWER, METER, BACK = "3.26.0.85", "3.12.0.257", "3.26.0.216"


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    def __str__(self) -> str:
        return f"{self.status}\n{self.out}\n{self.err}"


async def subscriptions(gateway: GatewayProcess, *arguments: str, crash: str = "") -> Said:
    """Run `cimgate subscriptions ...` beside a gateway."""
    environment = {**gateway.environment, "COLUMNS": "100", "NO_COLOR": "1"}
    if crash:
        environment["CIMGATE_CRASH"] = crash
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli", "subscriptions", *arguments),
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return Said(process.returncode or 0, out.decode(), err.decode())


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
