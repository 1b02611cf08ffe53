"""Limits by name: how often somebody may do something. The storage says who counts together."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from math import ceil
from time import time
from typing import Final

from limits import RateLimitItemPerSecond
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter

from service_kit.limits.bucket import BucketRateLimiter
from service_kit.limits.memory import MemoryStorage
from service_kit.limits.postgres import PostgresStorage


class Strategy(StrEnum):
    """How a limit counts."""

    FIXED = "fixed"
    """In windows that begin with their first count: cheap, and up to twice the amount around a window's end."""
    MOVING = "moving"
    """In the last so many seconds, exactly; keeps each instant."""
    BUCKET = "bucket"
    """A burst of the whole amount, then as many as come back in the time."""


_STRATEGIES: Final[Mapping[Strategy, type[RateLimiter]]] = {
    Strategy.FIXED: FixedWindowRateLimiter,
    Strategy.MOVING: MovingWindowRateLimiter,
    Strategy.BUCKET: BucketRateLimiter,
}


@dataclass(frozen=True, slots=True)
class Limit:
    """So many in so many seconds.

    Attributes:
        name: Separates its counts from those of other limits in the same storage.
        amount: At least 1.
        seconds: At least 1.
        strategy: How it counts.
    """

    name: str
    amount: int
    seconds: int
    strategy: Strategy = Strategy.FIXED

    @property
    def item(self) -> RateLimitItemPerSecond:
        """As `limits` has it."""
        return RateLimitItemPerSecond(self.amount, self.seconds, self.name)


class Limiter:
    """Counts in one storage."""

    def __init__(self, storage: MemoryStorage | PostgresStorage) -> None:
        self._storage = storage
        self._limiters = {name: strategy(storage) for name, strategy in _STRATEGIES.items()}

    async def count(self, limit: Limit, *whom: str) -> int:
        """Count one, before what is limited is done: so that those who come at once are all counted.

        Returns:
            0, or after how many seconds to try again because this one was too many.
        """
        limiter, key = self._limiters[limit.strategy], _key_of(whom)
        if await limiter.hit(limit.item, key):
            return 0
        again_at, _ = await limiter.get_window_stats(limit.item, key)
        return max(1, ceil(again_at - time()))

    async def give_back(self, limit: Limit, *whom: str) -> None:
        """Take one back that was counted in a fixed window, because it does not count after all."""
        await self._storage.decr(limit.item.key_for(_key_of(whom)))


def _key_of(whom: tuple[str, ...]) -> str:
    """Of one length, and no address that somebody has typed stands in it."""
    return sha256("\0".join(whom).encode(errors="surrogatepass")).hexdigest()
