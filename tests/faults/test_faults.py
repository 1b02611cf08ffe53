"""Accepted means delivered: the short form of `python -m tests.faults`, with fixed seeds."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.faults.run import run
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.verdict import Verdict

_SEED = 20_261_121
_SECONDS = 4
_RATE = 60
_AT_A_TIME = 3


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """Those of all chosen scenarios, several at a time: most of their time they wait for leases to end."""
    ours = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    chosen = {item.callspec.params["name"] for item in ours}
    return asyncio.run(_all([scenario for scenario in SCENARIOS if scenario.name in chosen]))


async def _all(scenarios: Sequence[Scenario]) -> dict[str, Verdict]:
    places = asyncio.Semaphore(_AT_A_TIME)

    async def one(scenario: Scenario) -> Verdict:
        async with places:
            return await run(scenario, seed=_SEED, seconds=_SECONDS, rate=_RATE)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(scenario)) for scenario in scenarios]
    return {task.result().scenario: task.result() for task in tasks}


@pytest.mark.timeout(300)  # the first one waits for all
@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_every_accepted_order_has_its_line(name: str, verdicts: dict[str, Verdict]) -> None:
    verdict = verdicts[name]
    assert not verdict.failures, f"seed {verdict.seed}: {verdict.failures}, {verdict.notes}"
    assert verdict.accepted > 0
