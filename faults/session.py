"""A site under load, and the reckoning at its end: what every scenario stands on."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from faults import testbed as sites
from faults.callers import Callers
from faults.servers import until
from faults.testbed import Site
from faults.verdict import Verdict


@dataclass
class Trial:
    """One scenario while it happens.

    Attributes:
        rounds: How often something went wrong.
    """

    site: Site
    callers: Callers
    rounds: int = 0
    judged: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        """What came of it, after its end."""
        assert self.judged is not None
        return self.judged


@asynccontextmanager
async def trial(
    name: str,
    *,
    seed: int,
    rate: float,
    orders: int = 1,
    consumers: int = 1,
    last_order: Mapping[str, str] | None = None,
) -> AsyncIterator[Trial]:
    """Let callers post while the block runs; then wait until nothing waits anywhere, and reckon.

    Args:
        name: Of the scenario.
        seed: Decides on the pauses of the callers.
        rate: Orders a second.
        orders: Replicas of orders_service.
        consumers: Replicas of notifications_service.
        last_order: What the environment of the last orders_service holds beside what all have.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"faults_{name}_"))
    async with sites.opened(folder, orders=orders, consumers=consumers, last_order=last_order) as site:
        async with Callers(site.urls, rate, Random(seed)) as callers:
            current = Trial(site, callers)
            yield current

        async def is_over() -> bool:
            return callers.accepted.keys() <= site.told.lines.keys() and await site.is_quiet()

        if not await until(is_over):
            site.notes.append(f"{site.waiting_events()} wait in the outbox, {await site.queued()} in the queue")
        current.judged = Verdict.of(site, callers, scenario=name, seed=seed, rounds=current.rounds)
    if current.verdict.failures:
        current.verdict.notes.append(f"logs: {folder}")
    else:
        shutil.rmtree(folder)
