"""Closes a connection so that its last answer arrives.

Closing a socket with unread bytes resets the connection, and a client that sends everything before it reads receives
the reset instead of the answer. So the server closes for writing, and goes on reading for a while.
"""

import asyncio
from math import inf
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service_kit.problems import ServiceError
from service_kit.runtime.http_limits import HttpLimits
from service_kit.runtime.http_refusals import refusal


class ClosingProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        limits: Those of a connection.
        uvicorn: The arguments of uvicorn's own class.

    Attributes:
        deadline: After it the server calls `give_up`, in seconds of the event loop's clock.
    """

    def __init__(self, limits: HttpLimits, **uvicorn: Any) -> None:  # noqa: ANN401 - its affair
        super().__init__(**uvicorn)
        self.deadline = inf
        self._limits = limits
        self._is_early = False
        self._keeps_alive = True
        self._bytes_to_discard = -1

    @property
    def is_ending(self) -> bool:
        """Whether all further bytes are discarded."""
        return self._bytes_to_discard >= 0

    def give_up(self) -> None:
        """End a connection that has passed its deadline."""
        self.transport.abort()

    def on_message_complete(self) -> None:
        """Stop the deadline: the request is complete, and the service answers."""
        super().on_message_complete()
        self.deadline = inf
        if self._is_early and not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps_alive
        self._is_early = False

    def shutdown(self) -> None:
        """Accept no further request."""
        self._keeps_alive = False
        super().shutdown()

    def answer_early(self) -> None:
        """Let an answer close the connection if the request is not complete yet."""
        if not self._is_early:
            self._is_early = True
            self._keeps_alive = self.cycle.keep_alive
            self.cycle.keep_alive = False
            self.cycle.transport = _PatientTransport(self)

    def refuse(self, error: ServiceError) -> None:
        """Answer and close; instead of the app, if it waits for the rest of this request."""
        if self.transport.is_closing() or self.is_ending:
            return
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or cycle.response_started or not cycle.more_body:
                self._stop_reading()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        scope = cast("Scope | None", self.scope)
        self.transport.write(refusal(error, scope, self.server_state.default_headers))
        self.discard_rest()

    def _stop_reading(self) -> None:
        """Make the answer that is under way the last one of the connection."""
        if self.cycle.more_body:
            self.transport.close()
        self.cycle.keep_alive = False
        self._bytes_to_discard = self._limits.discarded_bytes

    def discard_rest(self) -> None:
        """Close for writing, and go on reading for a while."""
        self._bytes_to_discard = self._limits.discarded_bytes
        self.deadline = self.loop.time() + self._limits.discarding_seconds
        self.flow.resume_reading()
        self.transport.write_eof()

    def discard(self, size_bytes: int) -> None:
        """Discard received bytes."""
        if size_bytes > self._bytes_to_discard:
            self.transport.abort()
        else:
            self._bytes_to_discard -= size_bytes


class _PatientTransport(asyncio.Transport):
    """The transport of a request that was answered before its end, as far as uvicorn's cycle uses it."""

    def __init__(self, protocol: ClosingProtocol) -> None:
        super().__init__()
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._protocol.transport.write(data)

    def is_closing(self) -> bool:
        return self._protocol.transport.is_closing()

    def close(self) -> None:
        if self._protocol.cycle.more_body and not self.is_closing():
            self._protocol.discard_rest()
        else:
            self._protocol.transport.close()
