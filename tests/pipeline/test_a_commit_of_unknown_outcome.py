"""A commit that is answered with an error and stored all the same: the request is neither lost nor opened twice."""

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest

from gateway.broker import Delivery
from gateway.conversations import Asker, Send, Target, open_request
from gateway.pipeline.conversing import Conversing
from gateway.pipeline.work import Work, outgoing
from gateway.store import Reader, Search, Store, StoreUnavailable, Unit
from gateway.store.opening import open_store


class CutOff:
    """A store whose connection is cut right after its first commit, before anybody hears of that."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._cut = False

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        async with self._store.begin() as unit:
            yield unit
        if not self._cut:
            self._cut = True
            raise StoreUnavailable("cut off")

    def look(self) -> AbstractAsyncContextManager[Reader]:
        return self._store.look()

    async def close(self) -> None:
        await self._store.close()


def new_id() -> str:
    return str(uuid.uuid4())


@pytest.mark.parametrize("key", [("CIS", "m-1"), None], ids=["with a MessageID", "without any id"])
async def test_a_request_is_sent_marked_and_there_is_one_conversation(
    sqlite_url: str, key: tuple[str, str] | None
) -> None:
    store = CutOff(await open_store(sqlite_url))
    conversing = Conversing(store, now=time.time, new_id=new_id)
    opening = partial(
        open_request, Asker("CIS", "m-1" if key else ""), "get", "MeterReadings", [Target("MS")],
        at=time.time(), deadline=time.time() + 60, new_id=new_id,
    )  # fmt: skip
    work = Work(Delivery.of_our_own(), opening=opening, key=key)
    await conversing.take([work])
    async with store.look() as reader:
        [stored] = await reader.search(Search())
        [leg] = await reader.open_legs("MS", "MeterReadings")
    await store.close()
    assert work.result is not None
    assert work.result.id == stored.id
    assert outgoing(work) == [Send(leg.id, repeated=True)]
