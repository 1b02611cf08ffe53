"""One scenario of the table, from its beginning to its verdict."""

import asyncio
import time
from random import Random
from typing import Final

from faults.scenarios import Scenario
from faults.session import trial
from faults.verdict import Verdict

_LONGEST_PEACE_SECONDS: Final = 2.0
_AFTERWARDS: Final = 50


async def run(scenario: Scenario, *, seed: int, seconds: float, rate: float) -> Verdict:
    """Let faults happen under load for so many seconds, at least one round of them; then reckon.

    Args:
        scenario: What happens.
        seed: Decides on every pause and every choice.
        seconds: How long.
        rate: Orders a second.
    """
    random = Random(seed)
    async with trial(
        scenario.name, seed=seed, rate=rate, orders=scenario.orders, consumers=scenario.consumers
    ) as current:
        await current.callers.have_placed(1)
        deadline = time.monotonic() + seconds
        for faults in scenario.rounds(random):
            await asyncio.sleep(random.uniform(0, _LONGEST_PEACE_SECONDS))
            await asyncio.gather(*(fault(current.site, random) for fault in faults))
            current.rounds += 1
            if time.monotonic() > deadline:
                break
        await current.callers.have_placed(_AFTERWARDS)
    return current.verdict
