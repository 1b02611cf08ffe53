"""Encodes answers to requests that never reach an app."""

from typing import Final

import msgspec
import structlog
from prometheus_client import Counter
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service_kit.observability.request_id import request_id_of
from service_kit.problems import PROBLEM_JSON, ServiceError, problem_document

REFUSED: Final = Counter("http_refused_total", "Requests that were refused before the app saw them.", ["code"])

log = structlog.get_logger()


def refusal(error: ServiceError, scope: Scope | None, server_headers: list[tuple[bytes, bytes]]) -> bytes:
    """A whole answer, after which the connection is closed; counted and logged.

    Args:
        error: The reason.
        scope: That of the request, as far as it was read.
        server_headers: Headers of every answer of the server.
    """
    request_id = _id_of(scope) if scope else request_id_of({"headers": []})
    REFUSED.labels(error.code).inc()
    log.info("refused", status=int(error.status), code=error.code, request_id=request_id)
    body = msgspec.json.encode(problem_document(error.status, error.code, error.detail, request_id))
    headers = {
        "content-type": PROBLEM_JSON,
        "content-length": str(len(body)),
        "connection": "close",
        "cache-control": "no-store",
        "x-request-id": request_id,
        **error.headers,
    }
    ours = [(name.encode(), value.encode()) for name, value in headers.items()]
    lines = b"".join(b"%s: %s\r\n" % line for line in [*server_headers, *ours])
    return STATUS_LINE[error.status] + lines + b"\r\n" + body


def _id_of(scope: Scope) -> str:
    """The id that the app has given the request, if it has started with it."""
    given: str | None = scope.get("request_id")
    return given or request_id_of(scope)
