"""What a private node needs of the system: free ports, and processes told apart, ended and waited for."""

import asyncio
import contextlib
import os
import secrets
import select
import signal
import socket
import subprocess
from pathlib import Path

LOOPBACK = "127.0.0.1"

_STOP_SECONDS = 15.0
_FIRST_PORT, _LAST_PORT = 20_000, 32_000  # below the range from which outgoing connections take theirs
_AMQP_GREETING = b"AMQP\x00\x00\x09\x01"
_CONNECTION_START = b"\x00\x0a\x00\x0a"  # class 10, method 10: the broker is ready to talk


def free_ports(count: int) -> list[int]:
    """Different TCP ports that nobody holds on loopback at this moment."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
            probe = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                ports.append(port)
        return ports


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot: with the pid it names one process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop, then kill its whole group; reap it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def kill_left_over(pid: int) -> None:
    """Kill the group of a process that is no child of ours, and wait until it has ended."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            os.killpg(pid, signal.SIGKILL)
            select.select([handle], [], [], _STOP_SECONDS)
        finally:
            os.close(handle)


async def accepts_amqp(port: int) -> bool:
    """Whether a broker answers an AMQP greeting: a listener alone may belong to a node that still boots."""
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    try:
        writer.write(_AMQP_GREETING)
        return _CONNECTION_START in await asyncio.wait_for(reader.read(64), timeout=5)
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
