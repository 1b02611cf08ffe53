"""uvicorn's HTTP, with limits: on heads, on time, on the number of connections.

Its own refusals are problem documents, like all others. It knows no app.
"""

import asyncio
from math import inf
from typing import Any, Final

import httptools

from service_kit.problems import MalformedRequestError, ServiceError
from service_kit.runtime.http_closing import ClosingProtocol
from service_kit.runtime.http_limits import HeadTooLargeError, HttpLimits, SlowRequestError, TooManyConnectionsError

_SECONDS_TO_BEGIN: Final = 1.0
"""Wait for a whole head after which a connection can be closed for others, when there are too many."""
_BEING_REFUSED: Final = 64
"""Connections above the limit that may wait for their refusal; further ones close the one that has waited longest."""


class LimitedProtocol(ClosingProtocol):
    """One connection.

    Args:
        limits: Those of a connection.
        waiting: All connections of the server without a request, the longest waiting first.
        uvicorn: The arguments of uvicorn's own class.
    """

    def __init__(
        self,
        limits: HttpLimits,
        waiting: dict["LimitedProtocol", None],
        **uvicorn: Any,  # noqa: ANN401 - its affair
    ) -> None:
        super().__init__(limits, **uvicorn)
        self._waiting = waiting
        self._refusal: ServiceError | None = None
        self._bytes_without_effect = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a head; with too many connections, close the one that has waited longest."""
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count bytes, and pass them to uvicorn."""
        self._unset_keepalive_if_required()
        if self.is_ending:
            self.discard(len(data))
            return
        self._bytes_without_effect += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.refuse(self._refusal or MalformedRequestError("This is not HTTP/1.1 as RFC 9112 has it."))
        else:
            if self.deadline != inf:
                self._await_rest(len(data))

    def _feed(self, data: bytes | memoryview) -> None:
        """Parse the bytes; offers of other protocols are ignored (RFC 9110, 7.8)."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = memoryview(data)[offer.args[0] :]
            else:
                return

    def on_headers_complete(self) -> None:
        """Serve the request, if its head is accepted.

        Raises:
            ServiceError: It is not accepted; the parser stops, and `data_received` answers.
        """
        self._refusal = self._refusal or self._refusal_of_head()
        if self._refusal:
            raise self._refusal
        self._bytes_without_effect = 0
        self._waiting.pop(self, None)
        self.deadline = self.loop.time() + self._limits.silence_seconds
        super().on_headers_complete()

    def _refusal_of_head(self) -> ServiceError | None:
        if len(self.headers) > self._limits.head_fields or self._head_bytes() > self._limits.head_bytes:
            return HeadTooLargeError(self._limits)
        hosts = [name for name, _ in self.headers if name == b"host"]
        if len(hosts) != 1 and (hosts or self.parser.get_http_version() != "1.0"):  # RFC 9112, 3.2
            return MalformedRequestError("Send one Host header.")
        return None

    def _head_bytes(self) -> int:
        """Its size, or less than the limit: counted in earnest only if what came last might be too much."""
        if self._bytes_without_effect <= self._limits.head_bytes:
            return 0
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        """Count the bytes of a body."""
        self._bytes_without_effect = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next head, unless there is one already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.is_ending:
            self._await_head()

    def _await_head(self) -> None:
        self.deadline = self.loop.time() + self._limits.head_seconds
        self._waiting[self] = None

    def _await_rest(self, size_bytes: int) -> None:
        if self._bytes_without_effect > self._limits.head_bytes:
            self.refuse(HeadTooLargeError(self._limits))
        elif self._is_in_body():
            latest = self.loop.time() + self._limits.silence_seconds
            self.deadline = min(latest, self.deadline + size_bytes / self._limits.least_bytes_per_second)
            self.answer_early()

    def _is_in_head(self) -> bool:
        return self.scope is not None and (self.cycle is None or self.cycle.scope is not self.scope)

    def _is_in_body(self) -> bool:
        return self.cycle is not None and self.cycle.scope is self.scope and self.cycle.more_body

    def _make_room(self) -> None:
        """Close the connection that has waited longest; if that is not long enough, refuse this one."""
        longest = next(iter(self._waiting))
        is_idle = longest.deadline - self._limits.head_seconds + _SECONDS_TO_BEGIN <= self.loop.time()
        if not is_idle:
            self._refusal = TooManyConnectionsError()
        if is_idle or len(self.connections) > self._limits.connections + _BEING_REFUSED:
            self._waiting.pop(longest)
            longest.transport.close()

    def discard_rest(self) -> None:
        """Stop waiting, and discard the rest."""
        self._waiting.pop(self, None)
        super().discard_rest()

    def give_up(self) -> None:
        """End a connection that has passed its deadline; with an answer, if a part of a request has arrived."""
        if self.is_ending:
            super().give_up()
        elif self._is_in_body() and self.flow.read_paused:  # it is the service that does not read
            self.deadline = self.loop.time() + self._limits.silence_seconds
        elif self._is_in_head() or self._is_in_body():
            self.refuse(SlowRequestError())
        else:
            self.transport.close()
