"""A row of the table: what was measured, beside whom, and whether the goal is met."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

Samples = Mapping[str, Sequence[float]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row.

    Attributes:
        name: As `make bench NAME=…` calls it.
        unit: Of `ours`, `floor` and `peers`.
        ours: Median of our rounds.
        floor: Median of what remains without the promise, where there is such a thing.
        peers: Medians of the others.
        ratios: Ours to each of the others, from the same run.
        goal: What each ratio, or `ours` itself, has to reach.
        more_is_better: Whether a goal is a least or a most.
        spread: Least and most of the rounds of each.
    """

    name: str
    unit: str
    ours: float
    floor: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    ratios: Mapping[str, float] = field(default_factory=dict)
    goal: Mapping[str, float] = field(default_factory=dict)
    more_is_better: bool = True
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether every goal is reached."""
        reached = {"ours": self.ours, **self.ratios}
        return all(
            reached[name] >= goal if self.more_is_better else reached[name] <= goal for name, goal in self.goal.items()
        )

    def as_json(self) -> dict[str, Any]:
        """As it stands in results.json."""
        return {**asdict(self), "met": self.met}


def row_of(
    name: str, unit: str, samples: Samples, goal: Mapping[str, float], *, more_is_better: bool = True, digits: int = 0
) -> Row:
    """A row from the rounds of `ours`, perhaps `floor`, and the peers."""
    medians = {who: round(median(rounds), digits) for who, rounds in samples.items()}
    return Row(
        name=name,
        unit=unit,
        ours=medians["ours"],
        floor=medians.get("floor"),
        peers={who: value for who, value in medians.items() if who not in {"ours", "floor"}},
        ratios={who: round(_ratio(samples["ours"], rounds), 2) for who, rounds in samples.items() if who != "ours"},
        goal=goal,
        more_is_better=more_is_better,
        spread={who: (round(min(rounds), digits), round(max(rounds), digits)) for who, rounds in samples.items()},
    )


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Median of the rounds' ratios: the two of a round were measured at nearly the same time."""
    return median(mine / other for mine, other in zip(ours, theirs, strict=False))


def alternate(
    contenders: Mapping[str, Callable[[], float]], rounds: int, say: Callable[[str], None]
) -> dict[str, list[float]]:
    """Measure all in turn, so that whatever the machine does falls on all of them; the first is a warm-up."""
    samples: dict[str, list[float]] = {who: [] for who in contenders}
    for number in range(rounds + 1):
        for who, measure in contenders.items():
            value = measure()
            say(f"{'warm-up' if number == 0 else f'round {number}'}  {who}: {value:.4g}")
            if number:
                samples[who].append(value)
    return samples
