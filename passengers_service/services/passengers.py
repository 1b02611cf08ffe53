"""Registers, reads, edits and deletes passengers; changes are stamped and published in the same transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from passengers_service.events import PassengerChange, PassengerFields
from passengers_service.models.passenger import NewPassenger, PassengerEdit, PassengerView
from passengers_service.models.tables import DOCUMENT_INDEX, LIST_VERSION, passengers
from passengers_service.services.errors import (
    DocumentTakenError,
    IdTakenError,
    PassengerDeletedError,
    PassengerNotFoundError,
)
from passengers_service.services.replica import PASSENGER_REPLICA
from service_kit.api.etags import StaleEditError, accepts
from service_kit.api.merge_patch import MergePatch
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import violated_constraint
from service_kit.postgres.list_version import count_change
from service_kit.replication.hybrid_clock import HybridClock, stamp_in, stamp_text
from service_kit.replication.rows import FieldChanges

_NAMES: Final = PassengerFields.__struct_fields__


@dataclass(frozen=True, slots=True)
class Passenger:
    """A passenger as the API returns it, and its version; `is_new` if this request has registered it."""

    view: PassengerView
    version: int
    is_new: bool = False


class Passengers:
    """The passengers of one transaction, which the caller commits.

    Args:
        session: That of the transaction.
        clock: Makes the stamps.
    """

    def __init__(self, session: AsyncSession, clock: HybridClock) -> None:
        self._session = session
        self._clock = clock

    async def register(self, new_passenger: NewPassenger, *, now: datetime) -> Passenger:
        """Store a new passenger. The index decides who has a document: asking first would lose a race.

        Raises:
            DocumentTakenError: The document belongs to another passenger (409).
            IdTakenError: The id belongs to a passenger that differs, or has been deleted (409).
        """
        passenger_id = new_passenger.id or new_uuid7(now)
        fields = PassengerFields(**_editable(new_passenger), created_at=now, deleted_at=None)
        change = FieldChanges(passenger_id, stamp_text(self._clock.tick()), fields)
        if not await self._insert(change, now):
            return await self._registered_before(passenger_id, new_passenger)
        await PASSENGER_REPLICA.publish(self._session, [change], now=now)
        await count_change(self._session, LIST_VERSION)
        return _shown(await self._row(passenger_id), is_new=True)

    async def read(self, passenger_id: UUID) -> Passenger:
        """Look one passenger up.

        Raises:
            PassengerNotFoundError: No passenger has this id (404).
            PassengerDeletedError: It was deleted (404).
        """
        return _shown(_living(await self._row(passenger_id), passenger_id))

    async def replace(
        self, passenger_id: UUID, edit: PassengerEdit, *, accepted: Collection[int] | None, now: datetime
    ) -> Passenger:
        """Replace the editable fields of a passenger. Only fields that differ are stamped and published.

        Raises:
            PassengerNotFoundError: No passenger has this id (404).
            PassengerDeletedError: It was deleted (404).
            StaleEditError: Its version is not one of `accepted` (412).
            DocumentTakenError: The document belongs to another passenger (409).
        """
        row = await self._editable_row(passenger_id, accepted)
        return await self._replace(row, edit, now)

    async def patch(
        self, passenger_id: UUID, patch: MergePatch[PassengerEdit], *, accepted: Collection[int] | None, now: datetime
    ) -> Passenger:
        """Change the fields given of a passenger; as `replace` does, and with the same errors.

        Raises:
            RequestValidationError: Such a passenger breaks a rule (422).
        """
        row = await self._editable_row(passenger_id, accepted)
        return await self._replace(row, patch.applied_to(row), now)

    async def delete(self, passenger_id: UUID, *, accepted: Collection[int] | None, now: datetime) -> None:
        """Mark a passenger as deleted, for good.

        Raises:
            PassengerNotFoundError: No passenger has this id (404).
            PassengerDeletedError: It was deleted before (404).
            StaleEditError: Its version is not one of `accepted` (412).
        """
        row = await self._editable_row(passenger_id, accepted)
        await self._change(row, PassengerFields(deleted_at=now), now)

    async def _row(self, passenger_id: UUID) -> Any:  # noqa: ANN401 - a row, or None
        query = select(passengers).where(passengers.c.id == passenger_id)
        return (await self._session.execute(query)).one_or_none()

    async def _editable_row(self, passenger_id: UUID, accepted: Collection[int] | None) -> Row[*tuple[Any, ...]]:
        row = _living(await PASSENGER_REPLICA.locked(self._session, passenger_id), passenger_id)
        if not accepts(accepted, row.version):
            raise StaleEditError
        return row

    async def _replace(self, row: Row[*tuple[Any, ...]], edit: PassengerEdit, now: datetime) -> Passenger:
        if await self._change(row, PassengerFields(**_editable(edit)), now):
            row = await self._row(row.id)
        return _shown(row)

    async def _insert(self, change: PassengerChange, now: datetime) -> bool:
        """Insert a passenger; False if its id or its document exists.

        A concurrent transaction with the same id or document blocks us until it ends.
        """
        fields = {name: getattr(change.fields, name) for name in _NAMES}
        stamps = [stamp_in(change.stamp)] * len(_NAMES)
        new = insert(passengers).values(id=change.id, **fields, stamps=stamps, updated_at=now)
        inserted = await self._session.execute(new.on_conflict_do_nothing().returning(passengers.c.id))
        return inserted.first() is not None

    async def _registered_before(self, passenger_id: UUID, new_passenger: NewPassenger) -> Passenger:
        row = await self._row(passenger_id)
        if row is None:
            raise DocumentTakenError
        if row.deleted_at is not None or not row.is_complete or _editable(new_passenger) != _editable(row):
            raise IdTakenError
        return _shown(row)

    async def _change(self, row: Row[*tuple[Any, ...]], new: PassengerFields, now: datetime) -> bool:
        """Edit a row; whether anything changed."""
        try:
            return await PASSENGER_REPLICA.edit(self._session, row, new, self._clock, now=now)
        except IntegrityError as error:
            if violated_constraint(error) == DOCUMENT_INDEX:
                raise DocumentTakenError from error
            raise


def _living(row: Any, passenger_id: UUID) -> Row[*tuple[Any, ...]]:  # noqa: ANN401 - a row, or None
    if row is None or not row.is_complete:
        raise PassengerNotFoundError(passenger_id)
    if row.deleted_at is not None:
        raise PassengerDeletedError(passenger_id)
    living: Row[*tuple[Any, ...]] = row
    return living


def _editable(source: object) -> dict[str, Any]:
    """The editable fields of a new passenger or of a row."""
    return {name: getattr(source, name) for name in PassengerEdit.model_fields}


def _shown(row: Row[*tuple[Any, ...]], *, is_new: bool = False) -> Passenger:
    return Passenger(PassengerView.model_validate(row), row.version, is_new)
