"""`X-API-Key`: who may call an API. Swagger's Authorize button knows it."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader

from service_kit.keys import is_one_of
from service_kit.problems import ServiceError


class ApiKeyRequiredError(ServiceError):
    """The `X-API-Key` header is missing, or not one of the service's keys."""

    status = HTTPStatus.UNAUTHORIZED
    code = "api-key-required"

    def __init__(self) -> None:
        sentence = "Send one of the service's keys in the X-API-Key header."
        super().__init__(sentence, headers={"WWW-Authenticate": 'ApiKey realm="api"'})


_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="One of the keys in the API_KEY setting.")


def require_api_key(keys: Sequence[str]) -> list[Any]:
    """FastAPI dependencies that let only callers with one of `keys` through; none if there are no keys."""
    if not keys:
        return []

    async def check(sent: Annotated[str | None, Security(_HEADER)]) -> None:
        # Starlette has decoded the header's bytes as Latin-1; a key may be any UTF-8.
        if sent is None or not is_one_of(keys, sent.encode("latin-1")):
            raise ApiKeyRequiredError

    return [Depends(check)]
