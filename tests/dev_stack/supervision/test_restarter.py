import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from dev_stack.supervision.children import Child
from dev_stack.supervision.restarter import Keeper, in_words, pause_seconds


class FakeChild:
    """Lives until the test ends its life."""

    name = "child"

    def __init__(self) -> None:
        self.births = 0
        self.preparations: list[int] = []
        self.ready = False
        self.born = asyncio.Event()
        self._death: asyncio.Future[int] | None = None

    async def prepare(self) -> int:
        return self.preparations.pop(0) if self.preparations else 0

    async def spawn(self) -> None:
        self.births += 1
        self._death = asyncio.get_running_loop().create_future()
        self.born.set()

    async def is_ready(self) -> bool:
        return self.ready

    async def wait(self) -> int:
        assert self._death is not None
        return await self._death

    async def stop(self) -> None:
        self.die(-15)

    def die(self, status: int) -> None:
        assert self._death is not None
        self.born.clear()
        self._death.set_result(status)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def keep(said: list[str]) -> AsyncIterator[Callable[..., Keeper]]:
    tasks = []

    def start(child: Child, **needs: list[Keeper]) -> Keeper:
        keeper = Keeper(child, said.append, **needs)
        tasks.append(asyncio.create_task(keeper.keep()))
        return keeper

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_starts_a_child_again_that_died(keep: Callable[..., Keeper], said: list[str]) -> None:
    child = FakeChild()
    keep(child)
    await child.born.wait()
    child.die(3)
    async with asyncio.timeout(3):
        await child.born.wait()
    assert child.births == 2
    assert said == ["child ended with status 3; starting it again in 1 s"]


async def test_says_once_when_a_child_is_ready(keep: Callable[..., Keeper], said: list[str]) -> None:
    child = FakeChild()
    keeper = keep(child)
    await child.born.wait()
    assert not keeper.ready.is_set()
    child.ready = True
    await keeper.ready.wait()
    assert len(said) == 1
    assert said[0].startswith("child is ready after 0.")


async def test_a_child_waits_for_those_that_it_needs(keep: Callable[..., Keeper]) -> None:
    server, service = FakeChild(), FakeChild()
    keep(service, needs=[keep(server)])
    await server.born.wait()
    assert service.births == 0
    server.ready = True
    async with asyncio.timeout(3):
        await service.born.wait()


async def test_a_child_starts_only_once_its_preparation_has_succeeded(
    keep: Callable[..., Keeper], said: list[str]
) -> None:
    child = FakeChild()
    child.preparations = [1, 0, 1]
    keep(child)
    async with asyncio.timeout(3):
        await child.born.wait()
    assert said == ["child is not started, because its preparation ended with status 1; trying again in 1 s"]
    assert child.preparations == [1]


async def test_a_child_that_died_is_not_prepared_again(keep: Callable[..., Keeper]) -> None:
    child = FakeChild()
    keep(child)
    await child.born.wait()
    child.preparations = [1]
    child.die(3)
    async with asyncio.timeout(3):
        await child.born.wait()
    assert child.preparations == [1]


def test_the_pause_doubles_up_to_ten_seconds_while_it_dies_young() -> None:
    pauses = [0.0]
    for _ in range(6):
        pauses.append(pause_seconds(pauses[-1], lived=0.5))
    assert pauses[1:] == [1, 2, 4, 8, 10, 10]


def test_the_pause_is_short_again_after_a_long_life() -> None:
    assert pause_seconds(10, lived=60) == 1


@pytest.mark.parametrize(("status", "words"), [(1, "ended with status 1"), (-9, "was killed by SIGKILL")])
def test_an_exit_status_in_words(status: int, words: str) -> None:
    assert in_words(status) == words
