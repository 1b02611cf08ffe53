"""The table of scenarios: which faults happen in each, and who is there."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getdoc
from random import Random
from typing import Final, Self

from faults import faults
from faults.faults import Fault

Round = tuple[Fault, ...]
"""Faults that happen at the same time."""

_AT_THE_BROKER: Final = (faults.broker_stopped, faults.broker_killed, faults.confirm_lost)
_AT_THE_QUEUE: Final = (faults.queue_deleted, faults.queue_replaced)
_AT_THE_DOOR: Final = (faults.silent_crowd,)
_ELSEWHERE: Final = (faults.store_killed, faults.orders_killed, faults.consumer_killed)


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Who is there, and what happens to them.

    Attributes:
        name: By which it is chosen.
        story: A sentence.
        rounds: The faults, without an end, in an order that chance may decide.
        orders: Replicas of orders_service.
        consumers: Replicas of notifications_service.
        seconds: How long it goes on in the long form.
    """

    name: str
    story: str
    rounds: Callable[[Random], Iterator[Round]]
    orders: int = 1
    consumers: int = 1
    seconds: float = 45

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """One fault, again and again."""
        return cls(name=fault.__name__, story=getdoc(fault) or "", rounds=_again_and_again(fault))


def _again_and_again(fault: Fault) -> Callable[[Random], Iterator[Round]]:
    def rounds(_random: Random) -> Iterator[Round]:
        while True:
            yield (fault,)

    return rounds


def _everything(random: Random) -> Iterator[Round]:
    """Each fault alone and each with another one, in a new order every time."""
    alone = [(fault,) for fault in (*_AT_THE_BROKER, *_ELSEWHERE, *_AT_THE_QUEUE, *_AT_THE_DOOR)]
    while True:
        in_pairs = zip(_AT_THE_BROKER, random.sample(_ELSEWHERE, len(_ELSEWHERE)), strict=True)
        yield from random.sample([*alone, *in_pairs], len(alone) + len(_ELSEWHERE))


SCENARIOS: Final = (
    *map(Scenario.of, (*_AT_THE_BROKER, *_ELSEWHERE, *_AT_THE_QUEUE, *_AT_THE_DOOR)),
    Scenario(
        name="two_replicas",
        story="Of two of each service, one of each is killed.",
        rounds=_again_and_again(faults.one_of_each_killed),
        orders=2,
        consumers=2,
    ),
    Scenario(
        name="mixed",
        story="All of it, alone and in pairs, with two of orders_service.",
        rounds=_everything,
        orders=2,
        seconds=240,
    ),
)
