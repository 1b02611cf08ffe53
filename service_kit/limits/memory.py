"""Counts in memory, for limits of one process."""

import time
from typing import Final

from limits.aio import storage

from service_kit.limits.bucket import BucketSupport

_BUCKETS: Final = 1024
"""From so many on, those that are full are forgotten."""


class MemoryStorage(storage.MemoryStorage, BucketSupport):
    """That of `limits`, with buckets."""

    def __init__(self) -> None:
        super().__init__()
        self._full_at: dict[str, float] = {}

    async def take_from_bucket(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take, if there is so much."""
        now = time.time()
        full_at = max(self._full_at.get(key, now), now) + amount * expiry / limit
        if full_at > now + expiry:
            return False
        self._full_at[key] = full_at
        if len(self._full_at) > _BUCKETS:
            self._full_at = {known: instant for known, instant in self._full_at.items() if instant > now}
        return True

    async def bucket_full_at(self, key: str) -> float:
        """0 of a bucket from which nothing was taken."""
        return self._full_at.get(key, 0.0)
