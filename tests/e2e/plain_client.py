"""A client that adds nothing to what it publishes. The library sets a message_id on its own; those of others do not."""

import asyncio
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from aio_pika.abc import HeadersType
from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader, ProtocolHeader

from gateway.endpoints.amqp import IN_EXCHANGE

F = TypeVar("F", bound=Frame)


async def send_plainly(url: str, body: bytes, key: str, headers: HeadersType | None = None) -> None:
    """Publish to the gateway without any id that is not in the body, and wait until the broker has it."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    client = _Client(reader, writer)
    try:
        writer.write(ProtocolHeader().marshal())
        await client.heard(commands.Connection.Start)
        account = f"\0{unquote(address.username or '')}\0{unquote(address.password or '')}"
        client.say(commands.Connection.StartOk({}, "PLAIN", account, "en_US"), channel=0)
        tuned = await client.heard(commands.Connection.Tune)
        client.say(commands.Connection.TuneOk(tuned.channel_max, tuned.frame_max, 0), channel=0)
        client.say(commands.Connection.Open(unquote(address.path[1:]) or "/"), channel=0)
        await client.heard(commands.Connection.OpenOk)
        client.say(commands.Channel.Open())
        await client.heard(commands.Channel.OpenOk)
        client.say(commands.Confirm.Select())
        await client.heard(commands.Confirm.SelectOk)
        properties = commands.Basic.Properties(headers=dict(headers or {}), delivery_mode=2)
        client.say(commands.Basic.Publish(exchange=IN_EXCHANGE, routing_key=key))
        client.say(ContentHeader(0, len(body), properties))
        client.say(ContentBody(body))
        await client.heard(commands.Basic.Ack)
        client.say(commands.Connection.Close(200, "done", 0, 0), channel=0)
        await client.heard(commands.Connection.CloseOk)
    finally:
        writer.close()
        await writer.wait_closed()


class _Client:
    """Writes frames and waits for answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, what: Frame | ContentHeader | ContentBody, *, channel: int = 1) -> None:
        self._writer.write(frame.marshal(what, channel))

    async def heard(self, wanted: type[F]) -> F:
        """Wait for the next frame, which must be of this kind."""
        start = await self._reader.readexactly(7)
        rest = await self._reader.readexactly(int.from_bytes(start[3:7], "big") + 1)
        _, _, found = frame.unmarshal(start + rest)
        assert isinstance(found, wanted), f"the broker says {found!r}"
        return found
