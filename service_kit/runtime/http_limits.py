"""How much of a server a single caller may take, before any of its requests is served."""

import sys
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from service_kit.problems import ServiceError

if sys.platform != "win32":
    import resource

_OTHER_FILES: Final = 192
"""Descriptors for all but the callers: pools of connections, the log, callers that are being refused."""
_WANTED_FILES: Final = 65_536


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a connection may cost.

    Attributes:
        connections: More of them are refused with 503, unless one of the others only waits.
        head_bytes: Of the request line and all headers; others allow 8 KiB (nginx) to 1 MiB (Go).
        head_fields: Number of headers.
        head_seconds: From the connection, or the answer before, to the end of the next head.
        silence_seconds: Without a byte of a body that is not complete.
        least_bytes_per_second: Of a body: each byte buys time at this price, up to `silence_seconds`.
        discarded_bytes: Read on and thrown away after an answer that came before the end of its request: closed at
            once, a client that reads only when it has sent everything would see a reset instead of the answer.
        discarding_seconds: For that.
    """

    connections: int = 1000
    head_bytes: int = 32 * 1024
    head_fields: int = 100
    head_seconds: float = 20.0
    silence_seconds: float = 30.0
    least_bytes_per_second: float = 100.0
    discarded_bytes: int = 32 * 1024 * 1024
    discarding_seconds: float = 5.0

    def within_descriptors(self) -> "HttpLimits":
        """The same with as few connections as this process may have open, after it has asked for its full share."""
        return replace(self, connections=min(self.connections, max(_descriptors() - _OTHER_FILES, 16)))


def _descriptors() -> int:
    if sys.platform == "win32":
        return _WANTED_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class HeadTooLargeError(ServiceError):
    """The request line and the headers are larger than the service takes, or there are too many headers."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head-too-large"

    def __init__(self, limits: HttpLimits) -> None:
        super().__init__(f"Send at most {limits.head_fields} headers, and {limits.head_bytes} bytes before the body.")


class SlowRequestError(ServiceError):
    """The rest of the request did not come in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request-too-slow"

    def __init__(self) -> None:
        super().__init__("The rest of the request did not come in time. Nothing of it was stored: send it again.")


class TooManyConnectionsError(ServiceError):
    """The service has as many connections as it takes, and all of them are in use."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "too-many-connections"

    def __init__(self) -> None:
        sentence = "The service has as many connections as it takes. Try again in a second."
        super().__init__(sentence, headers={"Retry-After": "1"})
