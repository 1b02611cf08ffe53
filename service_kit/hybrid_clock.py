"""Stamps that put the edits of two databases in one order, though their clocks differ: a hybrid logical clock.

A stamp is a whole number of 63 bits: milliseconds since 1970 (42), a counter (13), the node (8). So comparing numbers
compares (time, counter, node); a counter that is full carries into the milliseconds. 0 stands before every stamp: never
set. In events it is text of 16 hexadecimal digits, which no consumer's float spoils and which sorts like the number.

Source: Kulkarni et al., "Logical Physical Clocks" (2014).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta

from service_kit.events import UndecodableEventError

NEVER: Final = 0
MAX_AHEAD: Final = timedelta(days=366)

_COUNTER_BITS: Final = 13
_NODE_BITS: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

StampText = Annotated[str, Meta(pattern=r"^[0-7][0-9a-f]{15}\Z")]


class StampTooFarAheadError(UndecodableEventError):
    """This stamp lies so far in the future that our clock would follow it for ever."""


def stamp_text(stamp: int) -> StampText:
    """The form of a stamp in events."""
    return f"{stamp:016x}"


def stamp_in(text: StampText) -> int:
    """The stamp of its form in events."""
    return int(text, 16)


def wall_instant(stamp: int) -> datetime:
    """When it was made, by the clock of its maker or of one that this had heard from."""
    return _EPOCH + (stamp >> _COUNTER_BITS + _NODE_BITS) * _MILLISECOND


class HybridClock:
    """Makes stamps. For the thread of one event loop.

    A restart forgets what it gave and observed, and replicas do not know of each other: that harms nobody as long as a
    writer holds the row's lock and passes the row's greatest stamp, because only stamps of one row are ever compared.

    Args:
        node: Which database, 1 to 255; all replicas on one database share it.
        clock: The wall clock; it may run behind, ahead, or back.
    """

    def __init__(self, node: int, clock: Callable[[], datetime]) -> None:
        if not 0 < node < 1 << _NODE_BITS:
            raise ValueError(f"A node is a number from 1 to 255, not {node}")
        self._node = node
        self._clock = clock
        self._last = NEVER

    def tick(self, after: int = NEVER) -> int:
        """A stamp later than all that it gave or observed, and than `after`."""
        moment = (max(self._last, after) >> _NODE_BITS) + 1  # time and counter in one: so one carries into the other
        self._last = max(moment, self._wall_ms() << _COUNTER_BITS) << _NODE_BITS | self._node
        return self._last

    def observe(self, stamp: int) -> None:
        """Make every later stamp later than this foreign one.

        Raises:
            StampTooFarAheadError: It is more than a year ahead of our wall clock; trying again would not help.
        """
        if wall_instant(stamp) > self._clock() + MAX_AHEAD:
            raise StampTooFarAheadError(
                f"The stamp {stamp_text(stamp)} is of {wall_instant(stamp)}: that is too far ahead"
            )
        self._last = max(self._last, stamp)

    def _wall_ms(self) -> int:
        return (self._clock() - _EPOCH) // _MILLISECOND
