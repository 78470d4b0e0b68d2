"""Processes of a test that begin their work all at once."""

import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

TOP = Path(__file__).parents[1]


@asynccontextmanager
async def at_once(module: str, arguments: Sequence[Sequence[str]]) -> AsyncIterator[list[Process]]:
    """A process of this module for each list of arguments: each says `ready`, then all hear `go`; killed at the end."""
    started: list[Process] = []
    try:
        for own in arguments:
            command = [sys.executable, "-m", module, *own]
            started.append(await create_subprocess_exec(*command, cwd=TOP, stdin=PIPE, stdout=PIPE, stderr=PIPE))
        for process in started:
            assert await line_of(process) == "ready"
        for process in started:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
        yield started
    finally:
        for process in started:
            if process.returncode is None:
                process.kill()
                await process.communicate()


async def line_of(process: Process) -> str:
    """The next line that a process writes."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip()
