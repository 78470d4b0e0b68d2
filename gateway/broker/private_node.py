"""A private RabbitMQ node for demos and tests: own data, log and cookie in one folder, every port on loopback.

It starts the program behind the distribution's wrapper, which runs as any user, with an epmd of its own in the
foreground, so that both are children whose process ids are known. One folder serves one live owner, held by a lock;
a node that a killed owner left behind is ended by the next start.
"""

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

from gateway.broker import _processes

PROGRAM_FOLDERS = ("/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/usr/local/sbin", "/usr/sbin")
"""Where distributions put rabbitmq-server; the first is the program itself, later ones may be wrappers."""

_ERLANG_FOLDERS = ("/usr/lib/erlang/bin", "/usr/lib64/erlang/bin", "/usr/local/lib/erlang/bin")
_MISSING = "{} is not installed: install rabbitmq-server (apt-get install rabbitmq-server) or set CIMGATE_AMQP_URL"
_START_SECONDS = 90.0
_POLL_SECONDS = 0.05
_LOOPBACK_ERLANG = "-kernel inet_dist_use_interface {127,0,0,1}"

_CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
default_user = {user}
default_pass = {password}
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 2GB
log.console = false
log.file = node.log
"""

_log = structlog.get_logger(__name__)


class NodeUnavailable(RuntimeError):  # noqa: N818 - it reads as what it tells: no node to be had, and what to do
    """No private node can be had; the text says what to install or do."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a node keeps over a restart: its data belong to its name."""

    name: str
    user: str
    password: str
    amqp: int
    epmd: int
    dist: int


class PrivateNode:
    """One RabbitMQ node with everything it owns under `folder`.

    `keep` starts it again on the data, name, password and ports of the last run; otherwise a start removes them.
    `programs` replaces the folders in which RabbitMQ is looked for, and PATH after them. The node ends with the thread
    that started it where the system sees to that (setpriv): start it from a thread that lives as long as the node.
    """

    def __init__(self, folder: Path, *, keep: bool = False, programs: Sequence[str] = PROGRAM_FOLDERS) -> None:
        self.folder = folder.absolute()
        self.url = ""
        self._keep = keep
        self._programs = tuple(programs)
        self._identity: _Identity | None = None
        self._epmd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._lock: TextIO | None = None

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the node and of its epmd while they run."""
        return tuple(process.pid for process in (self._server, self._epmd) if process and process.poll() is None)

    async def start(self) -> None:
        """Start the node and wait until it accepts AMQP; `url` is set then.

        Raises NodeUnavailable when RabbitMQ is missing, the folder is in use, or the node does not come up.
        """
        server, epmd = self._find("rabbitmq-server"), self._find("epmd")
        self._take_folder()
        try:
            self._end_left_over()
            identity = self._lay_out()
            self._epmd = self._spawn([epmd, "-port", str(identity.epmd), "-address", _processes.LOOPBACK], identity)
            self._server = self._spawn([server], identity)
            await self._until_accepting(identity)
        except BaseException:
            await self.stop()
            raise
        self.url = f"amqp://{identity.user}:{identity.password}@{_processes.LOOPBACK}:{identity.amqp}/"
        _log.debug("private node started", folder=str(self.folder), port=identity.amqp)

    async def stop(self) -> None:
        """Stop the node and its epmd, gracefully first; does nothing when it is not running."""
        self.url = ""
        for process in (self._server, self._epmd):
            if process is not None:
                await asyncio.to_thread(_processes.end, process)
        self._server = self._epmd = None
        if self._lock is not None:
            self._pid_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    async def ctl(self, *arguments: str) -> str:
        """Run rabbitmqctl against this node and give what it prints; RuntimeError when it fails."""
        if self._identity is None:
            raise RuntimeError("the private node has not been started")
        process = await asyncio.create_subprocess_exec(
            self._find("rabbitmqctl"),
            "--quiet",
            "--node",
            self._identity.name,
            *arguments,
            env=self._environment(self._identity),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)} failed: {(err or out).decode().strip()}")
        return out.decode()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _pid_file(self) -> Path:
        return self.folder / "pids.json"

    def _find(self, program: str) -> str:
        places = (*self._programs, *_ERLANG_FOLDERS) if program == "epmd" else self._programs
        found = shutil.which(program, path=os.pathsep.join(places))
        if found is None and self._programs == PROGRAM_FOLDERS:
            found = shutil.which(program)
        if found is None:
            raise NodeUnavailable(_MISSING.format(program))
        return found

    def _take_folder(self) -> None:
        if self._lock is not None:
            raise NodeUnavailable(f"the private node in {self.folder} is running already")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise NodeUnavailable(
                f"{self.folder} belongs to a private node that is running: stop it, or use another folder"
            ) from None
        self._lock = lock

    def _end_left_over(self) -> None:
        """End what an owner that was killed left running; the start time tells our process from a later one."""
        try:
            recorded: dict[str, str] = json.loads(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        for pid, started in recorded.items():
            if started and _processes.started(int(pid)) == started:
                _log.warning("ending a private node that was left running", pid=int(pid), folder=str(self.folder))
                _processes.kill_left_over(int(pid))
        self._pid_file.unlink(missing_ok=True)

    def _lay_out(self) -> _Identity:
        """Write configuration, cookie and password, all for the owner's eyes only."""
        identity_file, home = self.folder / "identity.json", self.folder / "home"
        if self._keep and identity_file.exists():
            identity = _Identity(**json.loads(identity_file.read_text()))
        else:
            for part in ("data", "home", "log"):
                shutil.rmtree(self.folder / part, ignore_errors=True)
            amqp, epmd, dist = _processes.free_ports(3)
            name = f"cimgate-{secrets.token_hex(4)}@localhost"
            identity = _Identity(name, "cimgate", secrets.token_urlsafe(18), amqp, epmd, dist)
        for part in ("data", "home", "log"):
            (self.folder / part).mkdir(mode=0o700, exist_ok=True)
        _write_private(identity_file, json.dumps(asdict(identity)))
        _write_private(self.folder / "rabbitmq.conf", _CONFIG.format(**asdict(identity)))
        _write_private(self.folder / "enabled_plugins", "[].\n")
        if not (home / ".erlang.cookie").exists():
            _write_private(home / ".erlang.cookie", secrets.token_hex(24))
        self._identity = identity
        return identity

    def _environment(self, identity: _Identity) -> dict[str, str]:
        ours = {
            "HOME": str(self.folder / "home"),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join((os.environ.get("PATH", os.defpath), *_ERLANG_FOLDERS)),
            "ERL_EPMD_ADDRESS": _processes.LOOPBACK,
            "ERL_EPMD_PORT": str(identity.epmd),
            "RABBITMQ_NODENAME": identity.name,
            "RABBITMQ_NODE_IP_ADDRESS": _processes.LOOPBACK,
            "RABBITMQ_NODE_PORT": str(identity.amqp),
            "RABBITMQ_DIST_PORT": str(identity.dist),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "data" / "node.pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                # A name from the beginning: naming itself later, the node first starts another Erlang for nothing.
                f"-sname {identity.name} -start_epmd false {_LOOPBACK_ERLANG}"
                f" -kernel inet_dist_listen_min {identity.dist} -kernel inet_dist_listen_max {identity.dist}"
            ),
            "RABBITMQ_CTL_ERL_ARGS": _LOOPBACK_ERLANG,
            "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node then, and signals and the pid are the node's
        }
        foreign = ("RABBITMQ_", "ERL_", "NOTIFY_SOCKET")
        return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | ours

    def _spawn(self, command: list[str], identity: _Identity) -> subprocess.Popen[bytes]:
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "TERM", "--", *command]
        with (self.folder / "log" / "startup.log").open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - programs found in the system's own folders, no shell
                command,
                cwd=self.folder,
                env=self._environment(identity),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        pids = {str(pid): _processes.started(pid) for pid in (*self.pids, process.pid)}
        _write_private(self._pid_file, json.dumps(pids))
        return process

    async def _until_accepting(self, identity: _Identity) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        while not await _processes.accepts_amqp(identity.amqp):
            if self._server is None or self._server.poll() is not None:
                raise NodeUnavailable(f"RabbitMQ ended while it started; {self._tail()}")
            if loop.time() > deadline:
                raise NodeUnavailable(f"RabbitMQ did not accept AMQP within {_START_SECONDS:.0f} s; {self._tail()}")
            await asyncio.sleep(_POLL_SECONDS)

    def _tail(self) -> str:
        logs = [self.folder / "log" / name for name in ("startup.log", "node.log")]
        lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()[-20:]]
        return f"the end of its logs in {self.folder / 'log'}:\n" + "\n".join(lines)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


async def _serve(folder: Path) -> None:
    """Keep a node running until the terminal or the system says stop."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with PrivateNode(folder) as node:
        sys.stdout.write(f"CIMGATE_AMQP_URL={node.url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is for the URL alone
    try:
        asyncio.run(_serve(Path(sys.argv[1] if len(sys.argv) > 1 else ".run/broker")))
    except NodeUnavailable as problem:
        sys.exit(str(problem))
