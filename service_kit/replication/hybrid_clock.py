"""Stamps that put the edits of two databases in one order, though their clocks differ: a hybrid logical clock.

A stamp is a whole number of 63 bits: milliseconds since 1970 (42), a counter (13), the node (8). So comparing numbers
compares (time, counter, node); a counter that is full carries into the milliseconds. 0 means "never set", and is before
every stamp. In events a stamp is text of 16 hexadecimal digits, which sorts like the number, and which no consumer can
round by reading it as a float.

A stamp may be ahead of the wall clock only up to a limit, which each clock obeys too. Otherwise a clock that was far
ahead once would win until that time, and every later edit would have to be ahead as well.

Source: Kulkarni et al., "Logical Physical Clocks" (2014).
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

from msgspec import Meta
from prometheus_client import Counter

from service_kit.clock import Clock
from service_kit.messaging.events import UndecodableEventError
from service_kit.problems import ServiceError

NEVER: Final = 0
MAX_AHEAD: Final = timedelta(hours=24)
"""Source: docs/decisions/0019-stamps-at-most-a-day-ahead.md"""

REFUSED_TO_STAMP: Final = Counter(
    "stamps_refused_total", "Edits refused because the row has a stamp too far ahead of the clock; `heal` mends it."
)

_COUNTER_BITS: Final = 13
_NODE_BITS: Final = 8
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

StampText = Annotated[str, Meta(pattern=r"^[0-7][0-9a-f]{15}\Z")]


class StampTooFarAheadError(UndecodableEventError):
    """A received stamp is too far ahead of our wall clock."""


class RowTooFarAheadError(ServiceError):
    """The row was last edited by a clock that was far ahead, and must be healed first."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "stamp-too-far-ahead"

    def __init__(self, stamp: int) -> None:
        super().__init__(
            f"This was last changed by a clock that was far ahead, at {wall_instant(stamp):%Y-%m-%d}. Set the clocks "
            "right and run `python -m <service>.heal` on both sides; then send it again."
        )


def stamp_text(stamp: int) -> StampText:
    """Write a stamp as events have it."""
    return f"{stamp:016x}"


def stamp_in(text: StampText) -> int:
    """Read a stamp as events have it."""
    return int(text, 16)


def wall_instant(stamp: int) -> datetime:
    """The time in a stamp: that of its maker's clock, or of a clock from which its maker had received a stamp."""
    return _EPOCH + (stamp >> _COUNTER_BITS + _NODE_BITS) * _MILLISECOND


def node_of(stamp: int) -> int:
    """The node in a stamp: which database made it."""
    return stamp & (1 << _NODE_BITS) - 1


class HybridClock:
    """Makes stamps, in the thread of one event loop.

    A restart forgets the last stamp, and processes on one database do not know each other's stamps. That is safe
    because only stamps of one row are compared: a writer locks the row, and passes the greatest stamp of the row.

    Args:
        node: Which database, 1 to 255; all processes on one database share it.
        clock: The wall clock; it may be wrong, or be set back.
        max_ahead: How far a stamp may lie ahead of it.
    """

    def __init__(self, node: int, clock: Clock, max_ahead: timedelta = MAX_AHEAD) -> None:
        if not 0 < node < 1 << _NODE_BITS:
            raise ValueError(f"A node is a number from 1 to 255, not {node}")
        self._node = node
        self._clock = clock
        self._max_ahead = max_ahead
        self._last = NEVER

    def tick(self, after: int = NEVER) -> int:
        """Make a stamp that is later than all it has made or observed, and than `after`.

        Raises:
            RowTooFarAheadError: `after` is too far ahead of our wall clock (503).
        """
        if self.is_too_far(after):
            REFUSED_TO_STAMP.inc()
            raise RowTooFarAheadError(after)
        # Stamps that it made itself while the wall clock was wrong are forgotten, as after a restart.
        last = NEVER if self.is_too_far(self._last) else self._last
        moment = (max(last, after) >> _NODE_BITS) + 1  # one number, so that the counter carries into the time
        self._last = max(moment, self._wall_ms() << _COUNTER_BITS) << _NODE_BITS | self._node
        return self._last

    def healed(self, stamp: int, after: int) -> int:
        """The stamp that replaces one too far ahead: of now, and of the same node."""
        return self.tick(after) >> _NODE_BITS << _NODE_BITS | node_of(stamp)

    @property
    def limit(self) -> int:
        """The first stamp that is too far ahead."""
        return self._wall_ms() + self._max_ahead // _MILLISECOND + 1 << _COUNTER_BITS + _NODE_BITS

    def is_too_far(self, stamp: int) -> bool:
        """Whether a stamp is further ahead of our wall clock than it may be."""
        return stamp >= self.limit

    def observe(self, stamp: int) -> None:
        """Make every stamp from now on later than this received one.

        Raises:
            StampTooFarAheadError: It is too far ahead of our wall clock; trying again would not help.
        """
        if self.is_too_far(stamp):
            raise StampTooFarAheadError(
                f"The stamp {stamp_text(stamp)} is of {wall_instant(stamp)}: that is too far ahead"
            )
        self._last = max(self._last, stamp)

    def _wall_ms(self) -> int:
        return (self._clock() - _EPOCH) // _MILLISECOND
