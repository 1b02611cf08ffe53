"""What several routes document of their answers."""

from typing import Any, Final

from loans_service.services.errors import ExternalIdTakenError, UnknownClientError, UnsoundTermsRefusedError
from service_kit.api.etags import ETAG_HEADER

Responses = dict[int | str, dict[str, Any]]

LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where it is read.", "required": True, "schema": {"type": "string"}}
}
TAGGED: Final[Responses] = {200: {"headers": ETAG_HEADER}}
EDIT_REFUSALS: Final = (UnknownClientError, UnsoundTermsRefusedError, ExternalIdTakenError)
"""Of whoever drafts or edits a loan."""


def made(model: type, what: str) -> Responses:
    """Of a route that makes something, under an id that the caller may have made."""
    headers = LOCATION | ETAG_HEADER
    return {
        200: {
            "description": f"The same {what} was made before, under the id that you made; as it is now.",
            "model": model,
            "headers": headers,
        },
        201: {"description": "Made, and on disk.", "headers": headers},
    }
