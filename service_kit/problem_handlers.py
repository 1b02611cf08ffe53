"""Renders every error of an API as a problem document; nothing of the inside leaves through here."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.problems import (
    PROBLEM_JSON,
    ErrorTranslations,
    InvalidRequestError,
    MalformedRequestError,
    ServiceError,
    problem_body,
)

log = structlog.get_logger()

_UNREADABLE_JSON = "json_invalid"


def _answer(scope: Scope, status: int, code: str, detail: str, headers: dict[str, str], **more: object) -> Response:
    body = problem_body(status, code, detail, scope["request_id"], **more)
    return Response(body, status, headers, PROBLEM_JSON)


def _render(scope: Scope, error: ServiceError) -> Response:
    return _answer(scope, error.status, error.code, error.detail, error.headers, **error.extensions)


async def _on_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return _render(request.scope, error)


def _printable(part: object) -> str:
    """A key of the caller's JSON may hold half of a surrogate pair, which UTF-8 cannot."""
    return str(part).encode("utf-8", "replace").decode()


def _invalid_field(mistake: dict[str, Any]) -> dict[str, str]:
    """One mistake, without the input: that may be a password."""
    where = ".".join(_printable(part) for part in mistake["loc"])
    message = _printable(mistake["msg"]).removeprefix("Value error, ")
    return {"field": where, "message": message, "code": mistake["type"]}


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = error.errors()
    if any(mistake["type"] == _UNREADABLE_JSON for mistake in mistakes):
        return _render(request.scope, MalformedRequestError("The body is not valid JSON. Send one JSON object."))
    fields = [_invalid_field(mistake) for mistake in mistakes]
    first = f"{fields[0]['field']}: {fields[0]['message']}"
    detail = f"The request breaks {len(fields)} of the rules in /docs. First: {first}"
    return _render(request.scope, InvalidRequestError(detail, errors=fields))


def _allowed_methods(app: FastAPI, scope: Scope) -> str:
    """All methods of a path. Starlette names only those of the first route that matches it."""
    routes = [route for route in app.router.routes if route.matches(scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in routes for method in getattr(route, "methods", None) or ()}))


_SENTENCES = {
    400: ("malformed-request", "The body cannot be read. Send one JSON object in UTF-8."),
    404: ("no-such-path", "Nothing is at this path. /docs lists what there is."),
    405: ("method-not-allowed", "This path does not take this method. The Allow header lists those it takes."),
}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed_methods(request.app, request.scope)
    fallback = ("refused", str(error.detail))
    code, detail = _SENTENCES.get(error.status_code, fallback)
    return _answer(request.scope, error.status_code, code, detail, headers)


def _translated(translate: Callable[[Exception], ServiceError]) -> Callable[[Request, Exception], Any]:
    async def handle(request: Request, error: Exception) -> Response:
        log.warning("foreign_error", error=f"{type(error).__name__}: {error}", request_id=request.scope["request_id"])
        return _render(request.scope, translate(error))

    return handle


def add_problem_handlers(app: FastAPI, translations: ErrorTranslations) -> None:
    """Make `app` answer every error as a problem document."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for kind, translate in translations.items():
        app.add_exception_handler(kind, _translated(translate))


class LastResortMiddleware:
    """Answers 500 with a reference id for whatever nobody foresaw; the log has the trace under the same id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; an answer that has begun can only be cut off."""
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            if scope["type"] != "http":
                raise
            log.exception("unhandled_error", request_id=scope["request_id"])
            if begun:
                raise
            detail = "Something failed on our side. Try again; if it stays, report the request_id."
            await _answer(scope, 500, "internal-error", detail, {})(scope, receive, send)
