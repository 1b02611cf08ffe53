"""`/metrics`, and who may read it: everybody, or the bearers of a key, as Prometheus's `authorization` sends it.

Without the key the answer is 401, not 404: the path is no secret, and a person who configures a scraper has to see what
is missing.
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from service_kit.observability.request_id import request_id_of
from service_kit.problems import PROBLEM_JSON, problem_document
from service_kit.settings.keys import is_one_of

_CODE: Final = "metrics-key-required"
_DETAIL: Final = "Send the METRICS_KEY of the service's settings, as in Authorization: Bearer YOUR-METRICS-KEY."
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="metrics"'}


def metrics_endpoint(keys: Sequence[str]) -> Callable[[Request], Awaitable[Response]]:
    """What answers `/metrics`.

    Args:
        keys: Only bearers of one of them are answered, if there are any.
    """

    async def metrics(request: Request) -> Response:
        if keys and not is_one_of(keys, _bearer_key(request)):
            return _refusal(request)
        return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return metrics


def _bearer_key(request: Request) -> bytes:
    """The key sent; Starlette has decoded its bytes as Latin-1, and it may be any UTF-8."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip().encode("latin-1") if scheme.lower() == "bearer" else b""


def _refusal(request: Request) -> Response:
    """A problem document; a worker's health server has no middleware that gives a request its id."""
    request_id = request.scope.get("request_id") or request_id_of(request.scope)
    document = problem_document(HTTPStatus.UNAUTHORIZED, _CODE, _DETAIL, request_id)
    return Response(msgspec.json.encode(document), HTTPStatus.UNAUTHORIZED, _CHALLENGE, PROBLEM_JSON)
