import os
import select
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import pytest_asyncio

from gateway.broker.private_node import NodeUnavailable, PrivateNode

ENDING_SECONDS = 30.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PrivateNode]:
    private = PrivateNode(tmp_path_factory.mktemp("a place with spaces") / ("long" * 40))
    try:
        await private.start()
    except NodeUnavailable as problem:
        if "is not installed" in str(problem):
            pytest.skip(str(problem))
        raise
    yield private
    await private.stop()


def listening(pids: tuple[int, ...]) -> set[tuple[str, int]]:
    processes = [psutil.Process(pid) for pid in pids]
    family = [*processes, *(child for process in processes for child in process.children(recursive=True))]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }


def handles_on(pids: tuple[int, ...] | list[int]) -> list[int]:
    return [os.pidfd_open(pid) for pid in pids]


def assert_ended(handles: list[int]) -> None:
    """Waits; a process that nobody has reaped yet counts as ended too."""
    for handle in handles:
        ended, _, _ = select.select([handle], [], [], ENDING_SECONDS)
        os.close(handle)
        assert ended, "a process of the node is still running"


def kill_the_owner_of_a_node(folder: Path, path: str) -> list[int]:
    """Start a node from a process of its own, kill that process, and give handles on the node's processes."""
    command = [sys.executable, "-m", "gateway.broker.private_node", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": path}) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline().startswith("CIMGATE_AMQP_URL=amqp://")
        handles = handles_on([child.pid for child in psutil.Process(owner.pid).children()])
        owner.kill()
    assert len(handles) == 2
    return handles


def path_without_setpriv(folder: Path) -> str:
    folder.mkdir()
    for program in Path("/usr/bin").iterdir():
        if program.name != "setpriv":
            (folder / program.name).symlink_to(program)
    return str(folder)


async def test_every_port_of_node_and_epmd_is_on_loopback(node: PrivateNode) -> None:
    sockets = listening(node.pids)
    assert {address for address, _ in sockets} <= {"127.0.0.1", "::1"}
    assert ("127.0.0.1", urlsplit(node.url).port) in sockets
    assert len({port for _, port in sockets}) == 3


async def test_password_and_cookie_are_for_the_owner_alone(node: PrivateNode) -> None:
    private = [
        file for file in node.folder.rglob("*") if file.name in {"rabbitmq.conf", "identity.json", ".erlang.cookie"}
    ]
    assert len(private) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    assert stat.S_IMODE(node.folder.stat().st_mode) == 0o700
    assert (await node.ctl("list_users")).split()[2] == "cimgate"


async def test_a_folder_serves_one_owner_at_a_time(node: PrivateNode) -> None:
    with pytest.raises(NodeUnavailable, match="belongs to a private node that is running"):
        await PrivateNode(node.folder).start()
    assert len(node.pids) == 2


async def test_a_failing_command_says_why(node: PrivateNode) -> None:
    with pytest.raises(RuntimeError, match=r"delete_vhost nowhere failed: .*"):
        await node.ctl("delete_vhost", "nowhere")


async def test_a_kept_node_comes_back_with_its_data_beside_another_node(node: PrivateNode, tmp_path: Path) -> None:
    async with PrivateNode(tmp_path, keep=True) as first:
        await first.ctl("add_vhost", "kept")
        url, handles = first.url, handles_on(first.pids)
    assert_ended(handles)
    async with PrivateNode(tmp_path, keep=True) as again:
        assert again.url == url
        assert "kept" in (await again.ctl("list_vhosts")).split()
        handles = handles_on(again.pids)
    await again.stop()
    assert_ended(handles)
    assert "kept" not in (await node.ctl("list_vhosts")).split()


@pytest.mark.usefixtures("node")
def test_a_node_ends_with_its_killed_owner(tmp_path: Path) -> None:
    assert_ended(kill_the_owner_of_a_node(tmp_path, os.environ["PATH"]))


@pytest.mark.usefixtures("node")
async def test_the_next_start_ends_what_a_killed_owner_left_running(tmp_path: Path) -> None:
    left_over = kill_the_owner_of_a_node(tmp_path / "node", path_without_setpriv(tmp_path / "bin"))
    assert not select.select(left_over, [], [], 0)[0]
    async with PrivateNode(tmp_path / "node") as second:
        assert_ended(left_over)
        assert (await second.ctl("list_vhosts")).split() == ["name", "/"]


async def test_without_rabbitmq_the_text_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NodeUnavailable, match=r"apt-get install rabbitmq-server\) or set CIMGATE_AMQP_URL"):
        await PrivateNode(tmp_path / "node", programs=[str(tmp_path)]).start()
