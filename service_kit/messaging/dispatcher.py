"""Calls the function that handles an event's type."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import structlog

from service_kit.messaging.events import Data, Event, read_data

log = structlog.get_logger()

_LOGGED_TYPES: Final = 1000
_SHOWN_CHARACTERS: Final = 100
"""Limits on what any publisher can make us remember and log."""

Handler = Callable[[Event, Data], Awaitable[None]]


class EventDispatcher:
    """A consumer's handlers by event type. Other types are ignored, and logged once each.

    Args:
        own_source: Our own `source`, if our events come back to us: they are ignored, unread.
    """

    def __init__(self, *, own_source: str = "") -> None:
        self._own_source = own_source
        self._by_type: dict[str, tuple[type[msgspec.Struct], Handler[Any]]] = {}
        self._unknown: set[str] = set()

    def add(self, event_type: str, data_type: type[Data], handler: Handler[Data]) -> None:
        """Handle events of a type by a function that receives the event and its data, read as `data_type`."""
        self._by_type[event_type] = (data_type, handler)

    async def __call__(self, event: Event) -> None:
        """Handle one event.

        Raises:
            UndecodableEventError: Its data cannot be read; trying again would not help.
        """
        if event.source == self._own_source:
            return
        if event.type not in self._by_type:
            self._ignore(event.type)
            return
        data_type, handler = self._by_type[event.type]
        await handler(event, read_data(event, data_type))

    def _ignore(self, event_type: str) -> None:
        shown = event_type[:_SHOWN_CHARACTERS]
        if shown not in self._unknown and len(self._unknown) < _LOGGED_TYPES:
            self._unknown.add(shown)
            log.info("event_type_ignored", type=shown)
