"""Errors as `application/problem+json` (RFC 9457): small classes with a status and a stable code.

The code that refuses raises a `ServiceError`; `api/problem_handlers.py` renders it. This module knows no framework, so
that rules and workers can raise too.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

PROBLEM_JSON: Final = "application/problem+json"


class ServiceError(Exception):
    """A refusal that the caller may see: its message is a sentence that says what to do."""

    status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "bad-request"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **extensions: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.extensions = extensions


class MalformedRequestError(ServiceError):
    """The body is no JSON, or the request cannot be read."""

    code = "malformed-request"


class InvalidRequestError(ServiceError):
    """The request was read, and breaks the rules that `/docs` lists."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid-request"


class UnsupportedMediaTypeError(ServiceError):
    """The body is not announced as JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-media-type"

    def __init__(self) -> None:
        super().__init__("Send the body as JSON, with the header Content-Type: application/json.")


class StoreUnavailableError(ServiceError):
    """The database does not answer; nothing that was asked is known to be done."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "store-unavailable"

    def __init__(self, detail: str = "The database does not answer. Try again in a few seconds.") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


ErrorTranslations = Mapping[type[Exception], Callable[[Exception], ServiceError]]
"""How a foreign error (a driver's, say) becomes one of ours."""


class InvalidField(BaseModel):
    """One mistake of a request."""

    field: str = Field(description="Where it is: `body.items.0.quantity`, `query.limit`.")
    message: str
    code: str = Field(description="Kind of the mistake; stable.")


class Problem(BaseModel):
    """What every error answers (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="Stable name of the kind of problem.", examples=["urn:problem-type:not-found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="A sentence that says what to do.")
    request_id: str = Field(description="Quote it when you ask for help; the logs have it too.")
    errors: list[InvalidField] | None = Field(None, description="The mistakes of an invalid request, one by one.")


def problem_document(status: int, code: str, detail: str, request_id: str, **extensions: object) -> dict[str, object]:
    """One problem, before it is encoded."""
    return {
        "type": f"urn:problem-type:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "request_id": request_id,
        **extensions,
    }


def problems(*errors: type[ServiceError]) -> dict[int | str, dict[str, Any]]:
    """Document the errors that a route can answer, for FastAPI's `responses`.

    Args:
        errors: The classes that can come; those of one status share an entry.
    """
    by_status: dict[int, list[type[ServiceError]]] = defaultdict(list)
    for error in errors:
        by_status[int(error.status)].append(error)
    return {status: _documented(kinds) for status, kinds in by_status.items()}


def _documented(kinds: list[type[ServiceError]]) -> dict[str, Any]:
    sentences = {kind: (kind.__doc__ or "").splitlines()[0] for kind in kinds}
    examples = {
        kind.code: {"value": problem_document(kind.status, kind.code, sentence, "9f86d081884c7d65")}
        for kind, sentence in sentences.items()
    }
    media = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    description = " ".join(f"`{kind.code}`: {sentence}" for kind, sentence in sentences.items())
    return {"description": description, "content": {PROBLEM_JSON: media}}
