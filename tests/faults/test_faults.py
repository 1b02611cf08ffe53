"""Accepted means delivered: the short form of `python -m faults`, with fixed seeds."""

import asyncio
from collections.abc import Sequence

import pytest

from faults.catalog import PERFORMANCES, Performance
from faults.verdict import Verdict

_SEED = 20_261_121
_SECONDS = 4
_RATE = 60
_AT_A_TIME = 3


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """Those of all chosen performances, several at a time: most of their time they wait for leases to end."""
    ours = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    chosen = {item.callspec.params["name"] for item in ours}
    return asyncio.run(_all([performance for name, performance in PERFORMANCES.items() if name in chosen]))


async def _all(performances: Sequence[Performance]) -> dict[str, Verdict]:
    places = asyncio.Semaphore(_AT_A_TIME)

    async def one(performance: Performance) -> Verdict:
        async with places:
            return await performance.perform(seed=_SEED, seconds=_SECONDS, rate=_RATE)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(performance)) for performance in performances]
    return {task.result().scenario: task.result() for task in tasks}


@pytest.mark.timeout(300)  # the first one waits for all
@pytest.mark.parametrize("name", [name for name, performance in PERFORMANCES.items() if performance.is_usual])
def test_keeps_the_promise(name: str, verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts[name]
    assert not verdict.failures, f"seed {verdict.seed}: {verdict.failures}, {verdict.notes}"
    assert verdict.accepted > 0
