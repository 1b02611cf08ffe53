"""The time. It arrives everywhere as an argument or a dependency; this is the real one."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, aware, in whole milliseconds: what MongoDB keeps, so that what was answered is what is read again."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
