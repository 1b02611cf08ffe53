"""Why a request for a passenger is refused."""

from http import HTTPStatus
from uuid import UUID

from service_kit.problems import ServiceError


class PassengerNotFoundError(ServiceError):
    """No passenger has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "passenger-not-found"

    def __init__(self, passenger_id: UUID) -> None:
        super().__init__(f"There is no passenger {passenger_id}. Ids are those that POST /passengers has answered.")


class PassengerDeletedError(ServiceError):
    """The passenger was deleted."""

    status = HTTPStatus.NOT_FOUND
    code = "passenger-deleted"

    def __init__(self, passenger_id: UUID) -> None:
        super().__init__(f"The passenger {passenger_id} was deleted, for good. Register the person anew.")


class DocumentTakenError(ServiceError):
    """Another passenger has this document."""

    status = HTTPStatus.CONFLICT
    code = "document-taken"

    def __init__(self) -> None:
        super().__init__("Another passenger has this document. Find it by GET /passengers?document_number=… instead.")


class IdTakenError(ServiceError):
    """This id belongs to a passenger that differs, or was deleted."""

    status = HTTPStatus.CONFLICT
    code = "id-taken"

    def __init__(self) -> None:
        super().__init__("This id belongs to a passenger that differs, or was deleted. Read it, or make a new id.")
