"""Opens the subscriptions of the store at a URL, and keeps them in SQL."""

from pathlib import Path
from typing import Final

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store._migrating import Chain
from gateway.store._small import SmallStore
from gateway.store.opening import PATIENCE
from gateway.store.subscriptions.contract import Subscriptions
from gateway.store.subscriptions.tables import REVISION, VERSION_TABLE, counter, progress, reader, subscription
from gateway.store.subscriptions.values import Known, Progress, Reader, StoredSubscription

CHAIN: Final = Chain(Path(__file__).parent / "migrations", REVISION, VERSION_TABLE)


async def open_subscriptions(url: str, *, patience: float = PATIENCE) -> Subscriptions:
    """Open the subscriptions of a store (see `gateway.store.opening.open_store`); makes their tables where missing.

    Raises StoreUnusable for what a person must mend, StoreUnavailable for what may pass.
    """
    return await SqlSubscriptions.open(url, CHAIN, patience)


class SqlSubscriptions(SmallStore):
    """Subscriptions in a database whose tables are there."""

    async def add(self, subscription_: StoredSubscription) -> int | None:
        """Keep a new subscription; gives the version. None where its name is taken."""
        async with self._transaction() as connection:
            version = await _changed(connection)  # locks, so that of two with one name only one is added
            if await _one(connection, subscription_.name) is not None:
                return None
            await connection.execute(
                insert(subscription).values(
                    name=subscription_.name,
                    document=subscription_.document,
                    created_at=subscription_.created_at,
                    ended=subscription_.ended,
                )
            )
        return version

    async def end(self, name: str, *, ended: bool = True) -> int | None:
        """Mark a subscription as ended, or as in force again; gives the version, None where there is none."""
        marked = update(subscription).where(subscription.c.name == name).values(ended=ended)
        async with self._transaction() as connection:
            version = await _changed(connection)
            done = await connection.execute(marked)
        return version if done.rowcount else None

    async def remove(self, name: str) -> None:
        """Forget a subscription, with its progress."""
        async with self._transaction() as connection:
            await _changed(connection)
            await connection.execute(delete(subscription).where(subscription.c.name == name))
            await connection.execute(delete(progress).where(progress.c.name == name))

    async def version(self) -> int:
        """Give the number that grows with every change."""
        async with self._transaction() as connection:
            return await _version(connection)

    async def known(self) -> Known:
        """Give all subscriptions, by name."""
        async with self._transaction() as connection:
            # The version first: a change in between is then read once more, and never missed.
            version = await _version(connection)
            rows = await connection.execute(select(subscription).order_by(subscription.c.name))
            return Known(version, tuple(map(_stored, rows.mappings())))

    async def one(self, name: str) -> StoredSubscription | None:
        """Give a subscription by its name."""
        async with self._transaction() as connection:
            return await _one(connection, name)

    async def acts(self, gateway: str, version: int, at: float) -> None:
        """Write down by which version a gateway acts."""
        async with self._transaction() as connection:
            said = {"version": version, "seen": at}
            done = await connection.execute(update(reader).where(reader.c.gateway == gateway).values(said))
            if not done.rowcount:
                await connection.execute(insert(reader).values(gateway=gateway, **said))

    async def leaves(self, gateway: str) -> None:
        """Forget a gateway that ends."""
        async with self._transaction() as connection:
            await connection.execute(delete(reader).where(reader.c.gateway == gateway))

    async def readers(self) -> list[Reader]:
        """Give the gateways that have said by which version they act."""
        async with self._transaction() as connection:
            rows = await connection.execute(select(reader).order_by(reader.c.gateway))
            return [Reader(row["gateway"], row["version"], row["seen"]) for row in rows.mappings()]

    async def forget_readers(self, before: float) -> None:
        """Forget the gateways that have said nothing since."""
        async with self._transaction() as connection:
            await connection.execute(delete(reader).where(reader.c.seen < before))

    async def note(self, noted: Progress) -> None:
        """Write down how far a delivery has come; what is delivered adds up."""
        values = {name: getattr(noted, name) for name in ("trouble", "in_hand", "oldest")}
        if noted.at:  # a gateway that has delivered nothing yet does not know when another did
            values |= {"sent": noted.sent, "at": noted.at}
        async with self._transaction() as connection:
            if await _one(connection, noted.name) is None:
                return
            delivered = progress.c.delivered + noted.delivered
            written = update(progress).where(progress.c.name == noted.name).values(delivered=delivered, **values)
            if not (await connection.execute(written)).rowcount:
                values |= {"sent": noted.sent, "at": noted.at}
                await connection.execute(insert(progress).values(name=noted.name, delivered=noted.delivered, **values))

    async def progress(self) -> dict[str, Progress]:
        """Give how far deliveries have come, by name."""
        async with self._transaction() as connection:
            rows = (await connection.execute(select(progress))).mappings()
            return {row["name"]: Progress(**row) for row in rows}


async def _changed(connection: AsyncConnection) -> int:
    """Count a change; whoever else counts one waits until this transaction ends."""
    await connection.execute(update(counter).values(version=counter.c.version + 1))
    return await _version(connection)


async def _version(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(counter.c.version))).scalar_one())


async def _one(connection: AsyncConnection, name: str) -> StoredSubscription | None:
    row = (await connection.execute(select(subscription).where(subscription.c.name == name))).mappings().first()
    return None if row is None else _stored(row)


def _stored(row: RowMapping) -> StoredSubscription:
    return StoredSubscription(row["name"], row["document"], row["created_at"], row["ended"])
