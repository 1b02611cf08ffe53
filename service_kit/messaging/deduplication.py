"""The window of seen events, by which a consumer drops repeats."""

from typing import Final

WINDOW: Final = 100_000


class DeduplicationWindow:
    """Remembers the identities of the last events, in memory.

    A window ends with its process: after a crash a message can be handled twice, which no consumer can exclude without
    storing the identity in one transaction with its effect.
    """

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._identities: dict[bytes, None] = {}  # a dict keeps the order of insertion, a set does not

    def __contains__(self, identity: bytes) -> bool:
        """Whether the event is in the window."""
        return identity in self._identities

    def add(self, identity: bytes) -> None:
        """Remember an event, and forget the oldest one over the size."""
        self._identities[identity] = None
        if len(self._identities) > self._size:
            del self._identities[next(iter(self._identities))]
