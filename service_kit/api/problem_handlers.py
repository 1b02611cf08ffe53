"""Renders every error of an API as a problem document; nothing of the inside leaves through here."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.api.merge_patch import ACCEPT_PATCH
from service_kit.problems import (
    PROBLEM_JSON,
    ErrorTranslations,
    InvalidRequestError,
    MalformedRequestError,
    ServiceError,
    UnsupportedMediaTypeError,
    problem_document,
)
from service_kit.settings.process import ApiSettings

log = structlog.get_logger()

_UNREADABLE_JSON: Final = "json_invalid"
_CLIENT_LEFT: Final = 499
_LISTED_MISTAKES: Final = 50
_NAME_CHARACTERS: Final = 200


def _answer(scope: Scope, status: int, code: str, detail: str, headers: dict[str, str], **more: object) -> Response:
    document = problem_document(status, code, detail, scope["request_id"], **more)
    return Response(msgspec.json.encode(document), status, headers, PROBLEM_JSON)


def render(scope: Scope, error: ServiceError) -> Response:
    """The answer to a request that has met this error."""
    return _answer(scope, error.status, error.code, error.detail, error.headers, **error.extensions)


async def _on_service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)
    return render(request.scope, error)


def _invalid_field(mistake: dict[str, Any]) -> dict[str, str]:
    """One mistake, without the input: that may be a password."""
    where = ".".join(str(part) for part in mistake["loc"])[:_NAME_CHARACTERS]
    message = mistake["msg"].removeprefix("Value error, ")
    return {"field": where, "message": message, "code": mistake["type"]}


def _has_docs(request: Request) -> bool:
    settings: ApiSettings = request.app.state.settings
    return settings.docs


def _refusal_of(error: RequestValidationError, *, has_docs: bool) -> ServiceError:
    mistakes = error.errors()
    if any(mistake["type"] == _UNREADABLE_JSON for mistake in mistakes):
        return MalformedRequestError("The body is not valid JSON. Send one JSON object.")
    if isinstance(error.body, bytes):  # FastAPI has not parsed what is not called JSON
        return UnsupportedMediaTypeError()
    fields = [_invalid_field(mistake) for mistake in mistakes[:_LISTED_MISTAKES]]
    first = f"{fields[0]['field']}: {fields[0]['message']}"
    rules = "the rules in /docs" if has_docs else "our rules"
    return InvalidRequestError(f"The request breaks {len(mistakes)} of {rules}. First: {first}", errors=fields)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(request.scope, _refusal_of(error, has_docs=_has_docs(request)))


def _taken_headers(app: FastAPI, scope: Scope) -> dict[str, str]:
    """What a path takes: all its methods, of which Starlette names only those of the first route that matches it."""
    routes = [route for route in iter_route_contexts(app.routes) if route.matches(scope)[0] is not Match.NONE]
    methods = {method for route in routes for method in route.methods or ()}
    allowed = ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))
    return {"Allow": allowed} | ({"Accept-Patch": ACCEPT_PATCH} if "PATCH" in methods else {})


_SENTENCES = {
    400: ("malformed-request", "The body cannot be read. Send one JSON object in UTF-8."),
    404: ("no-such-path", "Nothing is at this path."),
    405: ("method-not-allowed", "This path does not take this method. The Allow header lists those it takes."),
}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework itself refuses; it also wraps whatever happens while it reads a body into a 400."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, ServiceError):
        return render(request.scope, error.__cause__)
    if isinstance(error.__cause__, ClientDisconnect):
        return Response(status_code=_CLIENT_LEFT)  # nobody reads it; the timing line tells it
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers |= _taken_headers(request.app, request.scope)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    fallback = ("refused", str(error.detail))
    code, detail = _SENTENCES.get(error.status_code, fallback)
    if error.status_code == HTTPStatus.NOT_FOUND and _has_docs(request):
        detail = f"{detail} /docs lists what there is."
    return _answer(request.scope, error.status_code, code, detail, headers)


def _translated(translate: Callable[[Exception], ServiceError]) -> Callable[[Request, Exception], Any]:
    async def handle(request: Request, error: Exception) -> Response:
        log.warning("foreign_error", error=f"{type(error).__name__}: {error}", request_id=request.scope["request_id"])
        return render(request.scope, translate(error))

    return handle


def add_problem_handlers(app: FastAPI, translations: ErrorTranslations) -> None:
    """Make `app` answer every error as a problem document."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for kind, translate in translations.items():
        app.add_exception_handler(kind, _translated(translate))


class UnhandledErrorMiddleware:
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
