from sqlalchemy import func, select

from service_kit.limits.limiter import Limit, Limiter, Strategy
from service_kit.limits.postgres import PostgresStorage
from tests.service_kit.limits.conftest import COUNTS
from tests.support.rabbit_support import until


async def rows(storage: PostgresStorage) -> int:
    async with storage._engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(COUNTS)) or 0


async def test_replicas_count_together(postgres_storage: PostgresStorage) -> None:
    other = Limiter(PostgresStorage(postgres_storage._engine, COUNTS))
    limit = Limit("calls", 1, 600)
    assert await Limiter(postgres_storage).count(limit, "ana") == 0
    assert await other.count(limit, "ana") > 0


async def test_forgets_what_says_nothing_any_more(postgres_storage: PostgresStorage) -> None:
    limiter = Limiter(postgres_storage)
    await limiter.count(Limit("long", 1, 600), "ana")
    for strategy in Strategy:
        await limiter.count(Limit("short", 1, 1, strategy), strategy)
    assert await rows(postgres_storage) == 4

    async def are_forgotten() -> bool:
        await postgres_storage.prune()
        return await rows(postgres_storage) == 1

    await until(are_forgotten)
    assert await limiter.count(Limit("long", 1, 600), "ana") > 0


async def test_keeps_nobodys_address_in_clear(postgres_storage: PostgresStorage) -> None:
    await Limiter(postgres_storage).count(Limit("calls", 1, 600), "ana@example.com", "192.0.2.1")
    async with postgres_storage._engine.connect() as connection:
        key = await connection.scalar(select(COUNTS.c.key))
    assert "ana" not in str(key)
    assert "192" not in str(key)


async def test_answers_whether_the_server_does(postgres_storage: PostgresStorage) -> None:
    assert await postgres_storage.check()


async def test_can_forget_one_and_all(postgres_storage: PostgresStorage) -> None:
    await postgres_storage.incr("a", 600)
    await postgres_storage.incr("b", 600)
    await postgres_storage.clear("a")
    assert await postgres_storage.get("a") == 0
    assert await postgres_storage.reset() == 1
