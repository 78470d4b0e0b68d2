"""The broker and the database server that the tests run on, one of each for the session.

Each test gets a virtual host of its own, and a schema of its own in the database.

Which broker: the one at CIMGATE_AMQP_URL; else a container, where a Docker engine answers; else a private node.
A broker that was given is used as it comes: nobody can make virtual hosts or close connections there. Tests that need
this are skipped, all others share the virtual host of the URL: they refuse one that a gateway uses already, and delete
what they made.
"""

import asyncio
import os
import secrets
import signal
import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

import aio_pika
import pytest
import pytest_asyncio
from aio_pika.exceptions import ChannelNotFoundEntity

from gateway.broker.private_node import NodeUnavailable, PrivateNode
from tests.databases import Database, database_server, docker_answers

if TYPE_CHECKING:
    from testcontainers.community.rabbitmq import RabbitMqContainer

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that starts the tests in the background lets them, and all that they start, be deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)

IMAGE = "rabbitmq:3.13-management"  # the one of docker-compose.yml
USER = "cimgate"
EXCHANGES = ("cim.in", "cim.in.unbound", "cim.out", "cim.events", "cim.dead")
VHOSTS_AT_ONCE = 8
QUEUES = ("cim.in.TESTING", "cim.in.unbound", "cim.dead", "cim.MDM", "cim.CIS", "cim.OMS", "cim.MS", "replies")


class Broker(ABC):
    """A running RabbitMQ and what tests do to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._numbers = count(1)
        self._ready: list[str] = []
        self._used: list[str] = []

    @abstractmethod
    async def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl on the broker; skips the test where nobody can."""

    async def restart(self) -> None:
        """Stop the broker's application and start it again: connections are lost, what is durable stays."""
        await self.ctl("stop_app")
        await self.ctl("start_app")

    async def close_connections(self) -> None:
        """Close every connection from the broker's side."""
        await self.ctl("close_all_connections", "--global", "closed by a test")

    async def take_vhost(self) -> str:
        """Give an empty virtual host.

        Each command starts a virtual machine for a second or two, which would be half of the time of all tests: so
        several are made with one command, and removed with it when they are used.
        """
        if not self._ready:
            new = [f"test-{next(self._numbers)}" for _ in range(VHOSTS_AT_ONCE)]
            await self.ctl("eval", _EVAL.format(new=_binaries(new), used=_binaries(self._used), user=USER))
            self._ready, self._used = new, []
        return self._ready.pop(0)

    async def give_back_vhost(self, name: str) -> None:
        """Have a virtual host removed with all that is in it, later on."""
        self._used.append(name)


_EVAL = """
[ok = rabbit_vhost:delete(Name, <<"tests">>) || Name <- {used}],
[begin
    ok = rabbit_vhost:add(Name, <<"tests">>),
    ok = rabbit_auth_backend_internal:set_permissions(<<"{user}">>, Name, <<".*">>, <<".*">>, <<".*">>, <<"tests">>)
end || Name <- {new}], ok.
"""


def _binaries(names: list[str]) -> str:
    return "[" + ", ".join(f'<<"{name}">>' for name in names) + "]"


class PrivateBroker(Broker):
    """A node that this session started."""

    def __init__(self, node: PrivateNode) -> None:
        super().__init__(node.url)
        self._node = node

    async def ctl(self, *arguments: str) -> str:
        return await self._node.ctl(*arguments)


class ContainerBroker(Broker):
    """A container that this session started."""

    def __init__(self, container: "RabbitMqContainer") -> None:
        self._container = container
        host, port = container.get_container_host_ip(), container.get_exposed_port(container.port)
        super().__init__(f"amqp://{container.username}:{container.password}@{host}:{port}/")

    async def ctl(self, *arguments: str) -> str:
        result = await asyncio.to_thread(self._container.exec, ["rabbitmqctl", "--quiet", *arguments])
        if result.exit_code:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)} failed: {result.output.decode()}")
        return result.output.decode()


class GivenBroker(Broker):
    """The broker at CIMGATE_AMQP_URL: one virtual host, no commands."""

    async def ctl(self, *arguments: str) -> str:
        pytest.skip(f"rabbitmqctl {arguments[0]} cannot be run on the broker at CIMGATE_AMQP_URL")

    async def take_vhost(self) -> str:
        """Make sure that no gateway uses the virtual host: the tests would take its messages."""
        name = unquote(urlsplit(self.url).path[1:]) or "/"
        async with await aio_pika.connect(self.url) as connection:
            try:
                await (await connection.channel()).get_exchange(EXCHANGES[0], ensure=True)
            except ChannelNotFoundEntity:
                return name
        pytest.fail(
            f"the virtual host {name!r} of CIMGATE_AMQP_URL has an exchange {EXCHANGES[0]}: a gateway uses it, and "
            "tests would take its messages. Give them an empty virtual host, or unset CIMGATE_AMQP_URL."
        )

    async def give_back_vhost(self, name: str) -> None:
        """Delete what the tests made in the virtual host, which stays."""
        del name
        async with await aio_pika.connect(self.url) as connection:
            channel = await connection.channel()
            for queue in QUEUES:
                await channel.queue_delete(queue)
            for exchange in EXCHANGES:
                await channel.exchange_delete(exchange)


def _container() -> "RabbitMqContainer | None":
    """Start a container where a Docker engine answers."""
    if not docker_answers():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # testcontainers warns of its own old ways when it is imported and started
        from testcontainers.community.rabbitmq import RabbitMqContainer  # noqa: PLC0415 - costs time, where it serves

        return RabbitMqContainer(IMAGE, username=USER, password=secrets.token_urlsafe(12)).start()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    """The broker of the session."""
    if url := os.environ.get("CIMGATE_AMQP_URL"):
        yield GivenBroker(url)
    elif container := _container():
        yield ContainerBroker(container)
        await asyncio.to_thread(container.stop)
    else:
        node = PrivateNode(tmp_path_factory.mktemp("rabbitmq"))
        try:
            await node.start()
        except NodeUnavailable as problem:
            pytest.fail(f"no broker for the tests: {problem}")
        yield PrivateBroker(node)
        await node.stop()


@pytest_asyncio.fixture
async def vhost(broker: Broker) -> AsyncIterator[str]:
    """The name of a virtual host for this test alone."""
    name = await broker.take_vhost()
    yield name
    await broker.give_back_vhost(name)


@pytest.fixture
def amqp_url(broker: Broker, vhost: str) -> str:
    """The address of the broker, with a virtual host for this test alone."""
    return urlsplit(broker.url)._replace(path="/" + quote(vhost, safe="")).geturl()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database() -> AsyncIterator[Database]:
    """The PostgreSQL of the session."""
    async with database_server() as server:
        yield server


@pytest_asyncio.fixture
async def postgres_url(database: Database) -> AsyncIterator[str]:
    """The URL of a PostgreSQL store, with a schema for this test alone."""
    name = database.next_schema()
    await database.execute(f"CREATE SCHEMA {name}")
    yield database.url_of(name)
    await database.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite store that is not there yet."""
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, of each kind in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))
