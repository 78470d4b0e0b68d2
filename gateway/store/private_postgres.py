"""A private PostgreSQL server for tests and benchmarks: own data, reached by a socket in its own folder alone.

PostgreSQL refuses to run as root, so root starts it as the user that the package made.
"""

import asyncio
import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

_PACKAGE_USER = "postgres"
_PACKAGE_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02


class ServerUnavailable(RuntimeError):  # noqa: N818 - it reads as what it tells
    """No private server can be had; the text says what to install or do."""


class PrivatePostgres:
    """One PostgreSQL server on empty data, which are removed at its end.

    With `durable` commits go to the disk, and it has the memory that a site would give it; without, it is as tests want
    it. The server ends with the thread that started it where the system sees to that (setpriv).
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._password = secrets.token_urlsafe(18)
        self._folder: Path | None = None
        self._server: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Make the data and start the server. Raises ServerUnavailable when it is missing or does not come up."""
        programs = _programs()
        user = _PACKAGE_USER if os.geteuid() == 0 else None
        # Not below a folder of the caller: the server's user must reach it, and a socket's path is 107 bytes at most.
        self._folder = Path(tempfile.mkdtemp(prefix="cimgate-pg-", dir="/tmp"))
        try:
            secret = self._folder / "password"
            secret.touch(mode=0o600)
            secret.write_text(self._password)
            if user:
                for path in (self._folder, secret):
                    shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
            await asyncio.to_thread(self._initdb, programs, secret)
            await self.resume()
        except BaseException:
            await self.stop()
            raise

    def url(self, database: str = "postgres") -> str:
        """Give the URL of a database."""
        return f"postgresql://cimgate:{self._password}@/{database}?host={self._folder}"

    async def resume(self) -> None:
        """Start the server on its data, after `pause` or `crash`."""
        options = ["listen_addresses=", f"unix_socket_directories={self._folder}", "max_connections=100"]
        if self._durable:
            options += ["shared_buffers=512MB", "max_wal_size=4GB"]
        else:
            options += ["fsync=off", "full_page_writes=off"]
        command = [str(_programs() / "postgres"), "-D", str(self._data)]
        for option in options:
            command += ["-c", option]
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "INT", "--", *command]
        with (self._data.parent / "log").open("ab") as log:
            self._server = self._spawn(command, log.fileno())
        await self._until_accepting()

    async def pause(self) -> None:
        """Stop the server, closing its connections; the data stay."""
        await self._end(signal.SIGINT)

    async def crash(self) -> None:
        """End the server at once, as if it had crashed: the next start recovers."""
        await self._end(signal.SIGQUIT)

    async def stop(self) -> None:
        """Stop the server and remove its data; does nothing when it is not there."""
        await self._end(signal.SIGINT)
        if self._folder is not None:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = None

    async def execute(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, each on its own."""
        connection = await asyncpg.connect(self.url(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _data(self) -> Path:
        if self._folder is None:
            raise RuntimeError("the private PostgreSQL has not been started")
        return self._folder / "data"

    def _initdb(self, programs: Path, secret: Path) -> None:
        arguments = ["-D", str(self._data), "-U", "cimgate", "--pwfile", str(secret), "-A", "scram-sha-256"]
        command = [str(programs / "initdb"), *arguments, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        with (secret.parent / "log").open("ab") as log:
            if self._spawn(command, log.fileno()).wait():
                raise ServerUnavailable(f"initdb failed; {self._tail()}")

    def _spawn(self, command: list[str], output: int) -> subprocess.Popen[bytes]:
        user = _PACKAGE_USER if os.geteuid() == 0 else None
        return subprocess.Popen(  # noqa: S603 - programs found in the system's own folders, no shell
            command,
            cwd=self._folder,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )

    async def _end(self, how: signal.Signals) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.send_signal(how)
        try:
            await asyncio.to_thread(server.wait, _STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            await asyncio.to_thread(server.wait)

    async def _until_accepting(self) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while True:
            with contextlib.suppress(OSError, asyncpg.CannotConnectNowError):
                await self.execute("SELECT 1")
                return
            if self._server is None or self._server.poll() is not None:
                raise ServerUnavailable(f"PostgreSQL ended while it started; {self._tail()}")
            if asyncio.get_running_loop().time() > deadline:
                raise ServerUnavailable(f"PostgreSQL did not accept connections in time; {self._tail()}")
            await asyncio.sleep(_POLL_SECONDS)

    def _tail(self) -> str:
        lines = (self._data.parent / "log").read_text(errors="replace").splitlines()[-20:]
        return "the end of its log:\n" + "\n".join(lines)


def _programs() -> Path:
    """Give the folder with initdb and postgres; of several versions the newest."""
    found = [path for pattern in _PACKAGE_FOLDERS for path in Path("/").glob(pattern[1:]) if (path / "initdb").exists()]
    if found:
        return max(found, key=_version)
    if initdb := shutil.which("initdb"):
        return Path(initdb).parent
    raise ServerUnavailable("PostgreSQL is not installed: install postgresql (apt-get install postgresql)")


def _version(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
