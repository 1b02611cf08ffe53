"""Values that Hypothesis makes, for tests that send many of them at once."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

_T = TypeVar("_T")


def generated(strategy: SearchStrategy[_T], count: int) -> list[_T]:
    """Up to so many values, others in each run."""
    values: list[_T] = []

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @given(strategy)
    def collect(value: _T) -> None:
        values.append(value)

    collect()
    return values
