import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from dev_stack.ports import answers
from dev_stack.services import SERVICES
from service_kit.settings.env_files import STACK_ADDRESSES
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import MongoSettings
from tests.dev_stack.conftest import ROOT, RunningStack, StackStarter


def _children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def _mongod_of(pid: int) -> int:
    return next(child for child in _children_of(pid) if Path(f"/proc/{child}/comm").read_text() == "mongod\n")


def _alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if Path(f"/proc/{pid}/exe").exists()}


async def _until_dead(pids: set[int]) -> None:
    async with asyncio.timeout(5):
        while _alive(pids):  # noqa: ASYNC110 - the kernel sets no event
            await asyncio.sleep(0.02)


def _collection(stack: RunningStack) -> MongoClient[dict[str, Any]]:
    return MongoClient(f"mongodb://127.0.0.1:{stack.ports['MONGODB_PORT']}", serverSelectionTimeoutMS=5000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_services_then_servers_and_nothing_is_left(
    start_stack: StackStarter, number: signal.Signals
) -> None:
    stack = await start_stack()
    await stack.says("Everything is ready")
    children = _children_of(stack.process.pid)
    assert len(children) == 3
    stack.process.send_signal(number)
    assert await stack.ends() == 0
    assert not _alive(children)
    assert {line.split(" | ")[-1] for line in stack.lines[-3:-1]} == {"alpha stopped", "beta stopped"}
    assert stack.lines[-1] == "make up | MongoDB stopped"


async def test_the_addresses_of_everything_are_shown(start_stack: StackStarter) -> None:
    stack = await start_stack()
    await stack.says("Everything is ready")
    table = "\n".join(stack.lines)
    assert f"http://127.0.0.1:{stack.ports['ALPHA_PORT']}/docs" in table
    assert f"mongodb://127.0.0.1:{stack.ports['MONGODB_PORT']}" in table
    assert "alpha   | hello" in stack.lines


async def test_commands_find_the_servers_while_it_lives(
    start_stack: StackStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENV_FILE")
    stack = await start_stack()
    await stack.says("Everything is ready")
    found = load_settings(MongoSettings).mongodb_uri.get_secret_value()
    assert found == f"mongodb://127.0.0.1:{stack.ports['MONGODB_PORT']}"
    stack.process.terminate()
    await stack.ends()
    assert not (tmp_path / STACK_ADDRESSES).exists()


async def test_commands_do_not_believe_a_stack_that_was_killed(
    start_stack: StackStarter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENV_FILE")
    stack = await start_stack()
    await stack.says("Everything is ready")
    stack.process.kill()
    await stack.ends()
    assert (tmp_path / STACK_ADDRESSES).exists()
    assert load_settings(MongoSettings).mongodb_uri.get_secret_value() == "mongodb://127.0.0.1:27017"


async def test_a_service_is_prepared_once_before_it_starts(start_stack: StackStarter) -> None:
    stack = await start_stack()
    await stack.says("Everything is ready")
    assert [line for line in stack.lines if line.startswith("alpha ")] == ["alpha   | prepared", "alpha   | hello"]


async def test_nothing_outlives_a_supervisor_that_is_killed(start_stack: StackStarter) -> None:
    stack = await start_stack()
    await stack.says("Everything is ready")
    children = _children_of(stack.process.pid)
    stack.process.kill()
    await _until_dead(children)


async def test_a_second_start_finds_the_data_even_after_a_kill(start_stack: StackStarter) -> None:
    first = await start_stack()
    await first.says("Everything is ready")
    with _collection(first) as client:
        client["shop"]["orders"].insert_one({"_id": 1})
        client["admin"].command("fsync")
    first.process.kill()
    await first.ends()
    second = await start_stack()
    await second.says("Everything is ready")
    with _collection(second) as client:
        assert client["shop"]["orders"].find_one() == {"_id": 1}


async def test_a_server_that_dies_is_started_again(start_stack: StackStarter) -> None:
    stack = await start_stack()
    await stack.says("Everything is ready")
    os.kill(_mongod_of(stack.process.pid), signal.SIGKILL)
    await stack.says("MongoDB was killed by SIGKILL; starting it again in 1 s")
    await stack.says("MongoDB is ready")
    assert answers("127.0.0.1", stack.ports["MONGODB_PORT"])


async def test_a_taken_port_is_refused_before_anything_starts(start_stack: StackStarter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        stack = await start_stack(BETA_PORT=port)
        assert await stack.ends() == 1
    assert [re.sub(r"\d+", "N", line) for line in stack.lines] == [
        "Port N is taken, and beta wants it: stop what listens there, or choose another port by BETA_PORT."
    ]


async def test_a_second_supervisor_is_refused_on_the_same_data(start_stack: StackStarter) -> None:
    first = await start_stack()
    await first.says("Everything is ready")
    second = await start_stack()
    assert await second.ends() == 1
    assert second.lines == [
        f"`make up` is running already: stop it with Ctrl-C where it runs, or by `kill {first.process.pid}`."
    ]


def test_an_unknown_service_is_one_sentence() -> None:
    command = [sys.executable, "-m", "dev_stack", "up", "user_servise"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603 - ours
    assert result.returncode == 1
    assert result.stdout == ""
    names = ", ".join(service.name for service in SERVICES)
    assert result.stderr == f"There is no service called user_servise; there are {names}.\n"
