import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_stack.ports import free_port
from dev_stack.services import Service
from dev_stack.supervision.children import ServiceChild
from tests.dev_stack.stand_in_stack import STAND_IN


class _Listener:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")


@pytest.fixture
def heard() -> _Listener:
    return _Listener()


MakeChild = Callable[..., ServiceChild]


@pytest.fixture
def make_child(heard: _Listener, tmp_path: Path) -> MakeChild:
    def make(*command: str, prepare: tuple[str, ...] = ()) -> ServiceChild:
        port = free_port()
        environment = {**os.environ, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        return ServiceChild(
            Service(name="child", command=command, prepare=prepare, port=port),
            port=port,
            environment=environment,
            root=tmp_path,
            say=heard,
        )

    return make


async def _until_ready(child: ServiceChild) -> None:
    async with asyncio.timeout(10):
        while not await child.is_ready():  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.02)


async def test_is_ready_when_its_health_path_answers(make_child: MakeChild) -> None:
    child = make_child(STAND_IN)
    assert not await child.is_ready()
    await child.spawn()
    await _until_ready(child)
    await child.stop()
    assert not await child.is_ready()


async def test_hands_on_all_its_output_before_its_end(make_child: MakeChild, heard: _Listener) -> None:
    child = make_child("-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(4)")
    await child.spawn()
    assert await child.wait() == 4
    assert sorted(heard.lines) == ["child: err", "child: out"]


async def test_one_that_is_deaf_to_sigterm_is_killed_after_the_deadline(make_child: MakeChild) -> None:
    child = make_child(STAND_IN, "stubborn")
    await child.spawn()
    await _until_ready(child)
    await child.stop(timeout_seconds=0.2)
    assert await child.wait() == -9


async def test_one_that_never_started_can_be_stopped(make_child: MakeChild) -> None:
    await make_child(STAND_IN).stop()


@pytest.mark.parametrize("status", [0, 5])
async def test_its_preparation_runs_to_the_end_and_is_heard(
    make_child: MakeChild, heard: _Listener, status: int
) -> None:
    child = make_child(STAND_IN, prepare=("-c", f"print('tables made'); raise SystemExit({status})"))
    assert await child.prepare() == status
    assert heard.lines == ["child: tables made"]


async def test_one_without_a_preparation_is_prepared(make_child: MakeChild) -> None:
    assert await make_child(STAND_IN).prepare() == 0


async def test_a_preparation_under_way_can_be_stopped(make_child: MakeChild, heard: _Listener) -> None:
    child = make_child(STAND_IN, prepare=("-c", "import time; print('begun'); time.sleep(60)"))
    preparing = asyncio.create_task(child.prepare())
    async with asyncio.timeout(10):
        while not heard.lines:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.02)
    await child.stop()
    assert await preparing == -15
