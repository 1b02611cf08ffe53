"""Accepted means delivered: the short form of `python -m faults`, with fixed seeds."""

import pytest

from faults.catalog import PERFORMANCES

_SEED = 20_261_121
_SECONDS = 4
_RATE = 60


@pytest.mark.parametrize("name", [name for name, performance in PERFORMANCES.items() if performance.is_usual])
async def test_keeps_the_promise(name: str) -> None:
    verdict = await PERFORMANCES[name].perform(seed=_SEED, seconds=_SECONDS, rate=_RATE)

    assert not verdict.failures, f"seed {verdict.seed}: {verdict.failures}, {verdict.notes}"
    assert verdict.accepted > 0
