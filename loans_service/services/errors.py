"""Why a request for clients or loans is refused."""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID

from service_kit.problems import InvalidRequestError, ServiceError


class ClientNotFoundError(ServiceError):
    """No client has this id, or none that the caller may see."""

    status = HTTPStatus.NOT_FOUND
    code = "client-not-found"

    def __init__(self, client_id: UUID) -> None:
        super().__init__(f"There is no client {client_id}. Ids are those that POST /clients has answered.")


class LoanNotFoundError(ServiceError):
    """No loan has this id, or none that the caller may see."""

    status = HTTPStatus.NOT_FOUND
    code = "loan-not-found"

    def __init__(self, loan_id: UUID) -> None:
        super().__init__(f"There is no loan {loan_id}. Ids are those that POST /loans has answered.")


class DocumentTakenError(ServiceError):
    """Another client has this document."""

    status = HTTPStatus.CONFLICT
    code = "document-taken"

    def __init__(self) -> None:
        super().__init__("Another client has this document. Find it by GET /clients?document_number=… instead.")


class ExternalIdTakenError(ServiceError):
    """Another one has this external id."""

    status = HTTPStatus.CONFLICT
    code = "external-id-taken"

    def __init__(self) -> None:
        super().__init__("This external_id belongs to another one. Send yours, or leave it out.")


class IdTakenError(ServiceError):
    """This id belongs to one that differs, or was deleted."""

    status = HTTPStatus.CONFLICT
    code = "id-taken"

    def __init__(self) -> None:
        super().__init__("This id belongs to one that differs, or was deleted. Read it, or make a new id.")


class ClientHasLoansError(ServiceError):
    """The client has loans, so that it stays."""

    status = HTTPStatus.CONFLICT
    code = "client-has-loans"

    def __init__(self, loans: Mapping[str, int]) -> None:
        told = ", ".join(f"{count} {status}" for status, count in loans.items())
        super().__init__(f"This client has loans ({told}). Only drafts can be deleted.", loans=dict(loans))


class UnknownClientError(ServiceError):
    """The loan names a client that there is not."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unknown-client"

    def __init__(self) -> None:
        super().__init__("There is no client of this client_id. Register it first, by POST /clients.")


class UnsoundTermsRefusedError(ServiceError):
    """With these terms the rows cannot repay the loan evenly."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "unsound-terms"


class SameApproverError(ServiceError):
    """A loan of this size needs two different administrators."""

    status = HTTPStatus.CONFLICT
    code = "same-approver"

    def __init__(self) -> None:
        super().__init__("You have approved this loan already: another administrator has to approve it too.")


class PreconditionRequiredError(ServiceError):
    """This is done to what one has read, and needs `If-Match`."""

    status = HTTPStatus.PRECONDITION_REQUIRED
    code = "precondition-required"

    def __init__(self) -> None:
        super().__init__("Read the loan, and send its ETag in If-Match: so what you have read is what you decide on.")


def invalid_field(field: str, message: str) -> InvalidRequestError:
    """A rule that one field breaks, and that only the service can check."""
    mistake = {"field": f"body.{field}", "message": message, "code": "value_error"}
    return InvalidRequestError(
        f"The request breaks 1 of the rules in /docs. First: body.{field}: {message}", errors=[mistake]
    )


class PaymentNotFoundError(ServiceError):
    """The loan has no payment of this id."""

    status = HTTPStatus.NOT_FOUND
    code = "payment-not-found"

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(f"The loan has no payment {payment_id}. GET /loans/{{id}}/payments lists them.")


class AlreadyReversedError(ServiceError):
    """The payment was reversed before."""

    status = HTTPStatus.CONFLICT
    code = "already-reversed"

    def __init__(self) -> None:
        super().__init__("This payment was reversed before. Post it anew if the money came after all.")


class ChoosePrepaymentRefusedError(ServiceError):
    """More is left over than the next row takes, and `excess` does not say what to do with it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "choose-prepayment"


class AmountExceedsPayoffRefusedError(ServiceError):
    """The payment is more than closes the loan."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "amount-exceeds-payoff"


class BelowAccruedInterestRefusedError(ServiceError):
    """What is left over does not pay the interest to the day."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "below-accrued-interest"


class IdempotencyKeyRequiredError(ServiceError):
    """A payment needs an `Idempotency-Key`."""

    code = "idempotency-key-required"

    def __init__(self) -> None:
        super().__init__("Send an Idempotency-Key, a UUID say: so sending the payment again books it once.")


class IdempotencyKeyReusedError(ServiceError):
    """The `Idempotency-Key` was used for another payment."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another body. Send a new key with a new payment.")
