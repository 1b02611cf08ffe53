"""Changes passengers here: differences are stamped, stored in our copy and published, all in one transaction."""

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from reservations_service.events import DOCUMENT
from reservations_service.models.passenger import PassengerEdit
from reservations_service.services.passengers import read_passenger, require_living
from reservations_service.services.replica import PASSENGER_REPLICA
from service_kit.api.etags import StaleEditError, accepts
from service_kit.api.merge_patch import MergePatch
from service_kit.problems import ServiceError
from service_kit.replication.hybrid_clock import HybridClock


class DocumentFixedError(ServiceError):
    """The document of a passenger is changed in passengers_service alone."""

    status = HTTPStatus.CONFLICT
    code = "document-fixed"

    def __init__(self) -> None:
        super().__init__(
            "The type and the number of a document can only be changed in passengers_service, which keeps them unique. "
            "Send them here as they are."
        )


class PassengerEditor:
    """Edits passengers in one transaction.

    Args:
        session: That of the transaction, which the caller commits.
        clock: Makes the stamps.
    """

    def __init__(self, session: AsyncSession, clock: HybridClock) -> None:
        self._session = session
        self._clock = clock

    async def edit(
        self, passenger_id: UUID, edit: PassengerEdit, *, accepted: Collection[int] | None, now: datetime
    ) -> Row[*tuple[Any, ...]]:
        """Replace the editable fields of a passenger; an edit without a difference changes and publishes nothing.

        Raises:
            PassengerNotFoundError: None of this id is known here (404).
            PassengerDeletedError: It was deleted (404).
            StaleEditError: Its version is not one of `accepted` (412).
            DocumentFixedError: The edit alters the document (409).
        """
        passenger = await self._locked(passenger_id, accepted)
        return await self._edited(passenger, edit, now)

    async def patch(
        self, passenger_id: UUID, patch: MergePatch[PassengerEdit], *, accepted: Collection[int] | None, now: datetime
    ) -> Row[*tuple[Any, ...]]:
        """Change the fields given of a passenger; as `edit` does, and with the same errors.

        Raises:
            RequestValidationError: Such a passenger breaks a rule (422).
        """
        passenger = await self._locked(passenger_id, accepted)
        return await self._edited(passenger, patch.applied_to(passenger), now)

    async def _locked(self, passenger_id: UUID, accepted: Collection[int] | None) -> Row[*tuple[Any, ...]]:
        passenger = require_living(await PASSENGER_REPLICA.locked(self._session, passenger_id), passenger_id)
        if not accepts(accepted, passenger.version):
            raise StaleEditError
        return passenger

    async def _edited(
        self, passenger: Row[*tuple[Any, ...]], edit: PassengerEdit, now: datetime
    ) -> Row[*tuple[Any, ...]]:
        if any(getattr(edit, name) != getattr(passenger, name) for name in DOCUMENT):
            raise DocumentFixedError
        if await PASSENGER_REPLICA.edit(self._session, passenger, edit.fields(), self._clock, now=now):
            return await read_passenger(self._session, passenger.id)
        return passenger
