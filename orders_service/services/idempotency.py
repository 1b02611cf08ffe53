"""`Idempotency-Key`: a repeated POST is answered again instead of done again.

The key lives inside the order under a unique index, so the order and its key are stored in one write, and 200 parallel
posts with one key make one order. Source: draft-ietf-httpapi-idempotency-key-header.
"""

from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from pymongo.errors import DuplicateKeyError

from orders_service.models.order import IDEMPOTENCY_INDEX, NewOrder
from service_kit.problems import ServiceError

_DIGEST_BYTES = 16
_QUOTES = 2


class IdempotencyConflictError(ServiceError):
    """The `Idempotency-Key` has been used for another order."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another body. Send a new key with a new order.")


@dataclass(frozen=True, slots=True)
class RequestMark:
    """What a keyed request leaves in its order.

    Attributes:
        key: The caller's key, without the quotes of a structured header string.
        fingerprint: Hash of the order as it was understood; the spelling of the JSON does not matter.
    """

    key: str
    fingerprint: str

    @classmethod
    def of(cls, header: str, wish: NewOrder) -> "RequestMark":
        """The mark of a request."""
        quoted = len(header) > _QUOTES and header[0] == header[-1] == '"'
        digest = blake2b(wish.model_dump_json().encode(), digest_size=_DIGEST_BYTES).hexdigest()
        return cls(header[1:-1] if quoted else header, digest)

    def stored(self) -> dict[str, str]:
        """As it stands in the order's document."""
        return {"key": self.key, "fingerprint": self.fingerprint}

    def require_same(self, document: dict[str, Any]) -> None:
        """Compare with the order that has the key.

        Raises:
            IdempotencyConflictError: It was another wish (422).
        """
        if document["idempotency"]["fingerprint"] != self.fingerprint:
            raise IdempotencyConflictError


def is_key_taken(error: DuplicateKeyError) -> bool:
    """Whether it was the key that an insert has failed on."""
    return IDEMPOTENCY_INDEX in str(error)
