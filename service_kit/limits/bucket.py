"""A strategy that `limits` has not: a bucket that fills evenly, so that a burst is allowed and then a steady pace.

Kept as one instant, when the bucket will be full again (the generic cell rate algorithm): to take from it moves that
instant away, and is refused if it would then lie farther away than an empty bucket needs.
"""

import time
from abc import ABC, abstractmethod
from math import floor
from typing import cast

from limits import RateLimitItem, WindowStats
from limits.aio.storage import Storage
from limits.aio.strategies import RateLimiter


class BucketSupport(ABC):
    """A storage that can keep buckets."""

    @abstractmethod
    async def take_from_bucket(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take from a bucket of `limit` that is filled within `expiry` seconds; False if it has not so much."""

    @abstractmethod
    async def bucket_full_at(self, key: str) -> float:
        """When the bucket will be full, in seconds since 1970; an instant that is past if it is."""


class BucketRateLimiter(RateLimiter):
    """The strategy, for a storage that has `BucketSupport`."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._buckets = cast("BucketSupport", storage)

    async def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Take from the bucket; whether it had so much."""
        return await self._buckets.take_from_bucket(
            item.key_for(*identifiers), item.amount, item.get_expiry(), amount=cost
        )

    async def test(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        """Whether it has so much."""
        return (await self.get_window_stats(item, *identifiers)).remaining >= cost

    async def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        """When it will have one more, and how much it has."""
        one = item.get_expiry() / item.amount
        now = time.time()
        missing = max(0.0, await self._buckets.bucket_full_at(item.key_for(*identifiers)) - now) / one
        return WindowStats(now + missing % 1 * one, floor(item.amount - missing))
