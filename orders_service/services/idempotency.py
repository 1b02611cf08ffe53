"""`Idempotency-Key`: a repeated POST returns the first response instead of placing another order.

The key lives inside the order under a unique index, so the order and its key are stored in one write, and 200 parallel
posts with one key make one order. It is good for as long as its order is kept, and belongs to the API key that has used
it: another caller's same key is another one.
Source: draft-ietf-httpapi-idempotency-key-header
"""

from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from orders_service.models.order import FORMER_IDEMPOTENCY_INDEX, IDEMPOTENCY_INDEX, NewOrder
from service_kit.fields.idempotency_key import bare_key
from service_kit.problems import ServiceError

_DIGEST_BYTES: Final = 16


class IdempotencyConflictError(ServiceError):
    """The `Idempotency-Key` has been used for another order."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another body. Send a new key with a new order.")


@dataclass(frozen=True, slots=True)
class RequestMark:
    """What a request with a key stores in its order.

    Attributes:
        key: The caller's key, the same whether it came quoted or bare.
        caller: Identity of the API key in the request; None if no API key is needed.
        fingerprint: Hash of the parsed order, independent of the form of its JSON.
    """

    key: str
    caller: str | None
    fingerprint: str

    @classmethod
    def of(cls, header: str, new_order: NewOrder, *, caller: str | None) -> "RequestMark":
        """The mark of a request, whose header is an `IdempotencyKey`."""
        # Without defaults, so that a field added by a later version does not change fingerprints.
        understood = new_order.model_dump_json(exclude_defaults=True)
        return cls(bare_key(header), caller, blake2b(understood.encode(), digest_size=_DIGEST_BYTES).hexdigest())

    def stored(self) -> dict[str, str]:
        """The form in the document of an order."""
        caller = {} if self.caller is None else {"caller": self.caller}
        return {"key": self.key, "fingerprint": self.fingerprint, **caller}

    def holders(self) -> list[dict[str, Any]]:
        """Queries for the order with the key: one of the caller, then one whose key belongs to no caller."""
        callers = dict.fromkeys((self.caller, None))
        return [{"idempotency.key": self.key, "idempotency.caller": caller} for caller in callers]

    def require_same(self, document: dict[str, Any]) -> None:
        """Compare this request with the order that has the key.

        Raises:
            IdempotencyConflictError: It was another order (422).
        """
        if document["idempotency"]["fingerprint"] != self.fingerprint:
            raise IdempotencyConflictError


def is_key_taken(error: DuplicateKeyError) -> bool:
    """Whether an insert has failed because the key is taken."""
    return any(f" index: {index} " in str(error) for index in (IDEMPOTENCY_INDEX, FORMER_IDEMPOTENCY_INDEX))
