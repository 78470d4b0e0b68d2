"""Events written for clients: once for all who read the same at about the same time, large ones beside the loop."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from gateway.adapters.adapter import REPEATED
from gateway.adapters.event_document import Said, body_members, event_document
from gateway.broker.streams import StreamMessage
from gateway.feed import wire
from gateway.message import Limits
from gateway.outages import OutageCodes

_KEPT_BYTES: Final = 4 * 1024 * 1024


class Renderer:
    """Writes events. `codes` are those that tell of power, `now` gives seconds since 1970."""

    def __init__(self, codes: OutageCodes, limits: Limits, off_loop_bytes: int, now: Callable[[], float]) -> None:
        self._codes = codes
        self._limits = limits
        self._off_loop_bytes = off_loop_bytes
        self._now = now
        self._kept: OrderedDict[tuple[str, int, bytes, bool], bytes] = OrderedDict()
        self._kept_bytes = 0

    async def render(self, subscription: str, message: StreamMessage, *, with_body: bool) -> bytes:
        """Give the event as it goes to the client."""
        # The body is part of the key: a stream that was made anew has the same offsets.
        key = (subscription, message.offset, message.body, with_body)
        found = self._kept.get(key)
        if found is not None:
            return found
        if len(message.body) > self._off_loop_bytes:
            written = await asyncio.to_thread(self._write, message, with_body=with_body)
        else:
            written = self._write(message, with_body=with_body)
        if key not in self._kept:  # another may have been as quick
            self._kept[key] = written
            self._kept_bytes += len(written) + len(message.body)
        while self._kept_bytes > _KEPT_BYTES:
            (_, _, body, _), oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest) + len(body)
        return written

    def _write(self, message: StreamMessage, *, with_body: bool) -> bytes:
        verb, noun, source = (str(message.headers.get(f"cim-{name}", "")) for name in ("verb", "noun", "source"))
        repeated = message.headers.get(REPEATED) is True
        said = Said(verb, noun, source, message.published or self._now(), repeated)
        data = {"id": message.offset, **event_document(message.body, said, self._codes, self._limits)}
        if with_body:
            data |= body_members(message.body)
        return wire.event(f"{data['verb']}({data['noun']})", data, message.offset)
