"""The circuit breaker of a consumer: it keeps a whole queue out of the dead queue while everything fails.

When the store behind a handler is down, every message fails. At full speed all of them would pass through the retry
queues into the dead queue within a minute. So after several failures in a row a message is tried again in place, after
a pause, before the next one is started. The first success closes the breaker.
"""

from typing import Final

import structlog

log = structlog.get_logger()

_SLOW_AFTER_FAILURES: Final = 20
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 30.0


class CircuitBreaker:
    """Counts failures in a row, over all messages.

    Attributes:
        slow_after: Failures in a row that open the breaker. More than the tries of one message, so that a single bad
            message in a quiet queue does not.
    """

    def __init__(self, slow_after: int = _SLOW_AFTER_FAILURES, first_pause: float = _FIRST_PAUSE_SECONDS) -> None:
        self.slow_after = slow_after
        self._first_pause = first_pause
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether the last tries have all failed."""
        return self._failures >= self.slow_after

    def record(self, *, ok: bool) -> None:
        """Count the outcome of one try."""
        was_slow = self.is_open
        self._failures = 0 if ok else self._failures + 1
        if self.is_open != was_slow:
            self._tell()

    def _tell(self) -> None:
        if self.is_open:
            log.error("every_message_fails", failures_in_a_row=self._failures, now="one message at a time")
        else:
            log.info("messages_succeed_again", now="full speed")

    @property
    def delay_seconds(self) -> float:
        """How long to wait before the next try of the same message."""
        beyond = max(0, self._failures - self.slow_after)
        return min(self._first_pause * 2.0 ** min(beyond, 10), _LONGEST_PAUSE_SECONDS)
