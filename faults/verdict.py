"""The reckoning: every accepted order is looked up in the store and among the lines."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Self

from faults.callers import Callers
from faults.testbed import Site
from service_kit.rabbit.consumer import MOST_REPEATED

_SHOWN: Final = 10
_REPEATED: Final = "repeated although their consumer was not killed"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one scenario.

    Attributes:
        rounds: How often something went wrong.
        posts: Requests sent.
        accepted: Orders answered 201.
        refused: Answers 503.
        settled: Orders of which a request died, and that were answered in the end.
        found: Accepted orders that are in the store.
        told: Accepted orders that have a line.
        lost: Accepted orders that are not in the store, or have no line.
        repeated: Orders with more than one line.
        unexcused: Those of them of which the consumer that had told the line before was not killed. A failure, unless
            there are several consumers, of which each knows only what it has told itself.
        longest_seconds: From acceptance to line.
        failures: What must not be, in sentences; empty if the promise was kept.
        notes: What else happened.
    """

    scenario: str
    seed: int
    rounds: int
    posts: int
    accepted: int
    refused: int
    settled: int
    found: int
    told: int
    lost: Collection[str]
    repeated: Collection[str]
    unexcused: Collection[str]
    longest_seconds: float
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, site: Site, callers: Callers, *, scenario: str, seed: int, rounds: int) -> Self:
        """Look everything up, once nothing waits anywhere any more."""
        accepted, lines, stored = set(callers.accepted), site.told.lines, site.orders_in_store()
        lost = accepted - (stored & lines.keys())
        repeated = {order_id for order_id, told in lines.items() if len(told) > 1}
        unexcused = {order_id for order_id in repeated if not site.told.is_excused(order_id)}
        waits = [lines[order_id][0].at - callers.accepted[order_id] for order_id in accepted & lines.keys()]
        return cls(
            scenario=scenario,
            seed=seed,
            rounds=rounds,
            posts=callers.posts,
            accepted=len(accepted),
            refused=callers.refusals,
            settled=callers.settled,
            found=len(accepted & stored),
            told=len(accepted & lines.keys()),
            lost=lost,
            repeated=repeated,
            unexcused=unexcused,
            longest_seconds=max(waits, default=0.0),
            failures=[
                *in_sentences("lost", lost),
                *(in_sentences(_REPEATED, unexcused) if len(site.consumers) == 1 else []),
                *_told_again(site.told.most_repeated_after_a_kill()),
                *in_sentences("in the store, but answered to nobody", stored - accepted),
                *in_sentences("told, but answered to nobody", lines.keys() - accepted),
                *_unsettled(callers),
                *_odd(callers.odd),
            ],
            # Each consumer remembers what it has told itself: docs/architecture/running.md#replicas
            notes=[
                *site.notes,
                *_most_told_again(site),
                *(in_sentences(_REPEATED, unexcused) if len(site.consumers) > 1 else []),
            ],
        )


def in_sentences(what: str, ids: Collection[str]) -> list[str]:
    """What is the matter with some orders or passengers; nothing if there are none."""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return [f"{len(ids)} {what}: {', '.join(sorted(ids)[:_SHOWN])}{more}"] if ids else []


def _most_told_again(site: Site) -> list[str]:
    lines = site.told.most_repeated_after_a_kill()
    return [f"{lines} lines were told again after one kill, at most"] if lines else []


def _told_again(lines: int) -> list[str]:
    most = MOST_REPEATED
    return [f"{lines} lines were told again after one kill, {most} are promised at most"] if lines > most else []


def _unsettled(callers: Callers) -> list[str]:
    left = callers.unknown - callers.settled
    return [f"{left} orders were never answered"] if left else []


def _odd(answers: Counter[int]) -> list[str]:
    return [f"{count} requests were answered {status}" for status, count in sorted(answers.items())]
