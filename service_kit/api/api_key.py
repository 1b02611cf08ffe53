"""`X-API-Key`: who may call an API. Swagger's Authorize button knows it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader

from service_kit.api.guards import Guard
from service_kit.problems import ServiceError
from service_kit.settings.keys import is_one_of


class ApiKeyRequiredError(ServiceError):
    """The `X-API-Key` header is missing, or not one of the service's keys."""

    status = HTTPStatus.UNAUTHORIZED
    code = "api-key-required"

    def __init__(self) -> None:
        sentence = "Send one of the service's keys in the X-API-Key header."
        super().__init__(sentence, headers={"WWW-Authenticate": 'ApiKey realm="api"'})


_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="One of the keys in the API_KEY setting.")


def api_key_guard(keys: Sequence[str]) -> Guard | None:
    """The guard that lets only callers with one of `keys` through; None if there are no keys."""
    if not keys:
        return None

    async def check(sent: Annotated[str | None, Security(_HEADER)]) -> None:
        # Starlette has decoded the header's bytes as Latin-1; a key may be any UTF-8.
        if sent is None or not is_one_of(keys, sent.encode("latin-1")):
            raise ApiKeyRequiredError

    def admits(headers: Mapping[bytes, bytes]) -> bool:
        return is_one_of(keys, headers.get(b"x-api-key", b""))

    return Guard(check, _HEADER, (ApiKeyRequiredError,), admits)
