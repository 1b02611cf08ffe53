import asyncio
import time

from service_kit.observability.loop_lag import LAG, LoopWatch


def _late_by_more_than_50_ms() -> float:
    [metric] = LAG.collect()
    buckets = {sample.labels["le"]: sample.value for sample in metric.samples if sample.name.endswith("_bucket")}
    return buckets["+Inf"] - buckets["0.05"]


async def _watch_through(blocked_seconds: float) -> float:
    """How many more sleepers were late."""
    before = _late_by_more_than_50_ms()
    async with LoopWatch().running():
        await asyncio.sleep(0)
        time.sleep(blocked_seconds)  # noqa: ASYNC251 - what must not happen, and is to be noticed
        await asyncio.sleep(0.01)
    return _late_by_more_than_50_ms() - before


async def test_notices_a_callback_that_blocks_the_loop() -> None:
    assert await _watch_through(blocked_seconds=0.2) == 1


async def test_a_loop_that_is_idle_is_not_late() -> None:
    before = _late_by_more_than_50_ms()
    async with LoopWatch().running():
        await asyncio.sleep(0.3)
    assert _late_by_more_than_50_ms() - before <= 1  # a busy machine may let even an idle process wait
