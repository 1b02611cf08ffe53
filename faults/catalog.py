"""Everything that the long form can perform: the scenarios of the table, and what is measured beside them."""

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from inspect import getdoc
from typing import Any, Final, Protocol

from faults.alarm import alarm
from faults.backlog import backlog
from faults.clocks import clocks_apart
from faults.dead_queue import dead_queue
from faults.frozen import frozen_replica
from faults.memory import memory
from faults.replication import SYNC_FAULTS, sync
from faults.run import run
from faults.scenarios import SCENARIOS
from faults.verdict import Verdict


class Perform(Protocol):
    """A coroutine function that lets it happen."""

    def __call__(self, *, seed: int, seconds: float, rate: float) -> Coroutine[Any, Any, Verdict]: ...


@dataclass(frozen=True)
class Performance:
    """One of them.

    Attributes:
        name: By which it is chosen.
        story: A sentence.
        seconds: How long it goes on unless somebody says otherwise.
        is_usual: Whether it belongs to those that are performed when none is named.
    """

    name: str
    story: str
    seconds: float
    perform: Perform
    is_usual: bool = True


def _further(name: str, perform: Perform, seconds: float) -> Performance:
    return Performance(name, getdoc(perform) or "", seconds, perform, is_usual=False)


_ALL: Final = (
    *(Performance(scenario.name, scenario.story, scenario.seconds, partial(run, scenario)) for scenario in SCENARIOS),
    *(Performance(name, getdoc(fault) or "", 45, partial(sync, fault, name)) for name, fault in SYNC_FAULTS.items()),
    Performance("frozen_replica", getdoc(frozen_replica) or "", 45, frozen_replica),
    Performance("clocks_apart", getdoc(clocks_apart) or "", 30, clocks_apart),
    _further("backlog", backlog, seconds=25),
    _further("dead_queue", dead_queue, seconds=20),
    _further("alarm", alarm, seconds=60),
    _further("memory", memory, seconds=600),
)
PERFORMANCES: Final = {performance.name: performance for performance in _ALL}
