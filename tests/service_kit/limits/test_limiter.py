"""What both storages promise, in memory and on PostgreSQL."""

import asyncio

import pytest

from service_kit.limits.limiter import Limit, Limiter, Strategy
from service_kit.limits.memory import MemoryStorage
from service_kit.limits.postgres import PostgresStorage
from tests.support.rabbit_support import until

STRATEGIES = list(Strategy)


@pytest.fixture
def limiter(storage: MemoryStorage | PostgresStorage) -> Limiter:
    return Limiter(storage)


async def counts(limiter: Limiter, limit: Limit, times: int, *whom: str) -> list[bool]:
    return [await limiter.count(limit, *whom) == 0 for _ in range(times)]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_lets_as_many_through_as_the_limit_says(limiter: Limiter, strategy: Strategy) -> None:
    limit = Limit("calls", 3, 600, strategy)
    assert await counts(limiter, limit, 5, "ana") == [True, True, True, False, False]


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_counts_everybody_and_every_limit_apart(limiter: Limiter, strategy: Strategy) -> None:
    limit = Limit("calls", 1, 600, strategy)
    assert await counts(limiter, limit, 2, "ana", "a") == [True, False]
    assert await counts(limiter, limit, 1, "ana", "b") == [True]
    assert await counts(limiter, limit, 1, "anaa") == [True]
    assert await counts(limiter, Limit("logins", 1, 600, strategy), 1, "ana", "a") == [True]


@pytest.mark.parametrize(("strategy", "at_most"), [("fixed", 60), ("moving", 60), ("bucket", 20)])
async def test_says_when_to_try_again(limiter: Limiter, strategy: str, at_most: int) -> None:
    limit = Limit("calls", 3, 60, Strategy(strategy))
    await counts(limiter, limit, 3, "ana")
    assert at_most - 5 <= await limiter.count(limit, "ana") <= at_most


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_lets_through_again_after_the_time(limiter: Limiter, strategy: Strategy) -> None:
    limit = Limit("calls", 2, 1, strategy)
    await counts(limiter, limit, 3, "ana")

    async def is_let_through() -> bool:
        return await limiter.count(limit, "ana") == 0

    await until(is_let_through)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_counts_those_who_come_at_once(limiter: Limiter, strategy: Strategy) -> None:
    limit = Limit("calls", 5, 600, strategy)
    waits = await asyncio.gather(*(limiter.count(limit, "ana") for _ in range(30)))
    assert waits.count(0) == 5


async def test_gives_back_what_does_not_count(limiter: Limiter) -> None:
    limit = Limit("calls", 1, 600)
    for _ in range(3):
        assert await limiter.count(limit, "ana") == 0
        await limiter.give_back(limit, "ana")
    assert await counts(limiter, limit, 2, "ana") == [True, False]


async def test_gives_nothing_back_below_nothing(limiter: Limiter) -> None:
    limit = Limit("calls", 1, 600)
    await limiter.give_back(limit, "ana")
    await limiter.give_back(limit, "ana")
    assert await counts(limiter, limit, 2, "ana") == [True, False]


async def test_a_bucket_fills_evenly(limiter: Limiter) -> None:
    limit = Limit("calls", 4, 2, Strategy.BUCKET)  # one more each half second
    assert await counts(limiter, limit, 5, "ana") == [True] * 4 + [False]

    async def is_let_through() -> bool:
        return await limiter.count(limit, "ana") == 0

    await until(is_let_through)
    assert await limiter.count(limit, "ana") > 0


@pytest.mark.parametrize("whom", ["\ud800", "a\0b", "x" * 100_000, "' OR 1=1 --", ""])
async def test_takes_whatever_somebody_is_called(limiter: Limiter, whom: str) -> None:
    assert await limiter.count(Limit("calls", 1, 60), whom) == 0
