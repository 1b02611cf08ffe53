"""The window of recent events, by which a consumer drops repeats."""

from typing import Final

WINDOW: Final = 100_000


class DeduplicationWindow:
    """Remembers the identities of the last events, in memory.

    A window ends with its process, so a message can be handled twice after a crash. Only a consumer that stores the
    identity in one transaction with the effect can rule that out.
    """

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._identities: dict[bytes, None] = {}  # a dict, because a set does not keep the order of insertion

    def __contains__(self, identity: bytes) -> bool:
        """Whether the event is in the window."""
        return identity in self._identities

    def add(self, identity: bytes) -> None:
        """Remember an event; when the window is full, forget the oldest one."""
        self._identities[identity] = None
        if len(self._identities) > self._size:
            del self._identities[next(iter(self._identities))]
