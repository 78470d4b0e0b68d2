"""The PostgreSQL that the tests run on: a container, where a Docker engine answers; else a private server."""

import asyncio
import os
import secrets
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from gateway.store.private_postgres import PrivatePostgres, ServerUnavailable

IMAGE = "postgres:15"


def docker_answers() -> bool:
    """Whether there is an engine that runs containers."""
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # testcontainers warns of its own old ways when it is imported and started
        import docker  # type: ignore[import-untyped]  # noqa: PLC0415 - costs time, for those who have an engine

        try:
            engine = docker.from_env()
            engine.ping()
            engine.close()
        except docker.errors.DockerException:
            return False
        return True


class Database:
    """A running PostgreSQL and what tests do to it."""

    def __init__(self, url: str, private: PrivatePostgres | None) -> None:
        self.url = url
        self._private = private
        self._numbers = count(1)

    @property
    def private(self) -> PrivatePostgres:
        """The server, to be stopped and started; skips the test where nobody can."""
        if self._private is None:
            pytest.skip("a container gets another port when it is started again")
        return self._private

    def next_schema(self) -> str:
        """The name of the schema for the next test."""
        return f"test_{next(self._numbers)}"

    def url_of(self, schema: str) -> str:
        """The URL with a schema in it."""
        return f"{self.url}{'&' if '?' in self.url else '?'}search_path={schema}"

    async def execute(self, statement: str) -> None:
        """Run a statement on a connection of its own."""
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def database_server() -> AsyncIterator[Database]:
    """Start a server, and end it."""
    if docker_answers():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - the same

            secret = secrets.token_urlsafe(12)
            container = PostgresContainer(IMAGE, username="cimgate", password=secret, dbname="cimgate", driver=None)
            await asyncio.to_thread(container.start)
        yield Database(container.get_connection_url(), None)
        await asyncio.to_thread(container.stop)
        return
    server = PrivatePostgres()
    try:
        await server.start()
    except ServerUnavailable as problem:
        pytest.fail(f"no PostgreSQL for the tests: {problem}")
    yield Database(server.url(), server)
    await server.stop()
