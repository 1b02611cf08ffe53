"""A row of the benchmarks' table."""

import pytest

from benchmarks.harness.row import Row, alternate, row_of

SAMPLES = {"ours": [30.0, 10.0, 20.0], "floor": [60.0, 40.0, 40.0], "peer": [10.0, 10.0, 10.0]}


def test_shows_the_medians_and_the_spread() -> None:
    row = row_of("orders", "orders/s", SAMPLES, {})
    assert (row.ours, row.floor, row.peers) == (20, 40, {"peer": 10})
    assert row.spread["ours"] == (10, 30)


def test_compares_within_a_round() -> None:
    """Ours is 3, 1 and 2 times the peer; the ratio of the medians could be of two different moments."""
    row = row_of("orders", "orders/s", {"ours": [30, 10, 40], "peer": [10, 10, 20]}, {})
    assert row.ratios == {"peer": 2.0}


@pytest.mark.parametrize(
    ("goal", "better", "met"),
    [
        ({"peer": 2.0}, "more", True),
        ({"peer": 2.1}, "more", False),
        ({"peer": 2.0, "floor": 0.9}, "more", False),
        ({"ours": 20.0}, "less", True),
        ({"ours": 19.0}, "less", False),
        ({}, "more", True),
    ],
)
def test_meets_its_goal_when_every_part_of_it_is_reached(goal: dict[str, float], better: str, *, met: bool) -> None:
    assert row_of("orders", "orders/s", SAMPLES, goal, more_is_better=better == "more").met is met


def test_stands_in_the_results_with_its_verdict() -> None:
    shown = Row(name="x", unit="s", ours=1.0, goal={"ours": 2.0}, more_is_better=False).as_json()
    assert shown["met"] is True
    assert {"name", "unit", "ours", "floor", "peers", "ratios", "goal", "spread"} <= shown.keys()


def test_measures_in_turn_and_forgets_the_warm_up() -> None:
    calls: list[str] = []

    def measured(who: str) -> float:
        calls.append(who)
        return float(len(calls))

    samples = alternate({"ours": lambda: measured("a"), "peer": lambda: measured("b")}, 2, lambda _: None)
    assert calls == ["a", "b"] * 3
    assert samples == {"ours": [3.0, 5.0], "peer": [4.0, 6.0]}
