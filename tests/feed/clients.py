"""A client of the feed, as a browser's EventSource reads it."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.e2e.harness import PATIENCE


@dataclass
class Told:
    """One server-sent event as a client sees it; a comment has neither name nor data."""

    id: str = ""
    name: str = ""
    data: Any = None
    comment: str = ""
    retry: str = ""


@dataclass
class Client:
    """Listens to one response, event by event."""

    response: aiohttp.ClientResponse
    comments: list[str] = field(default_factory=list)
    last_id: str = ""

    async def next(self) -> Told:
        """Wait for the next event; places and comments are noted on the way."""
        while True:
            told = await self._block()
            if told.comment:
                self.comments.append(told.comment)
            self.last_id = told.id or self.last_id
            if told.name:
                return told

    async def ids(self, count: int) -> list[int]:
        return [int((await self.next()).id) for _ in range(count)]

    async def until_comment(self) -> str:
        while True:
            if comment := (await self._block()).comment:
                return comment

    async def until_place(self) -> str:
        while True:
            if place := (await self._block()).id:
                return place

    async def ended(self) -> bool:
        """Read on to the end, which must be a proper one."""
        async with asyncio.timeout(PATIENCE):
            await self.response.content.read()
        return True

    async def _block(self) -> Told:
        told = Told()
        async with asyncio.timeout(PATIENCE):
            while line := (await self.response.content.readuntil(b"\n")).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                match name:
                    case "id" | "retry":
                        setattr(told, name, value)
                    case "event":
                        told.name = value
                    case "data":
                        told.data = json.loads(value)
                    case "":
                        told.comment = value
        return told
