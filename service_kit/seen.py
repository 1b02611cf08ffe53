"""The window of seen message ids, by which a consumer drops repeats."""

from typing import Final

WINDOW: Final = 100_000


class SeenIds:
    """Remembers the last ids, in memory; about 100 bytes each.

    A window ends with its process: after a crash a message can be handled twice, which no consumer can exclude without
    storing the id in one transaction with its effect.
    """

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._ids: dict[str, None] = {}  # a dict keeps the order of insertion, a set does not

    def __contains__(self, message_id: str) -> bool:
        """Whether the id is in the window."""
        return message_id in self._ids

    def add(self, message_id: str) -> None:
        """Remember an id, and forget the oldest one over the size."""
        self._ids[message_id] = None
        if len(self._ids) > self._size:
            del self._ids[next(iter(self._ids))]
