"""Registering, reading, editing and deleting clients; each change and its entry of the history are one transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Row, Select, case, delete, func, null, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from loans_service.models.client import Address, ClientEdit, ClientView, NewClient
from loans_service.models.tables import CLIENT_HISTORY, CLIENT_OF_LOAN, CLIENTS, DOCUMENT, EXTERNAL_ID_OF_CLIENT, LOANS
from loans_service.services import history
from loans_service.services.context import RequestContext
from loans_service.services.errors import (
    ClientHasLoansError,
    ClientNotFoundError,
    DocumentTakenError,
    ExternalIdTakenError,
    IdTakenError,
    invalid_field,
)
from loans_service.services.shown import amount_shown
from service_kit.accounts.caller import Caller
from service_kit.api.etags import StaleEditError, accepts
from service_kit.fields.uuid7 import new_uuid7
from service_kit.postgres.engine import violated_constraint
from service_kit.problems import ServiceError

_ADULT_YEARS: Final = 18

_ROWS: Final = CLIENTS.c
_ADDRESS: Final = func.json_build_object(
    *(part for name in Address.model_fields for part in (name, _ROWS[name])), type_=JSON
)

_COMPUTED: Final[Mapping[str, ColumnElement[Any]]] = {
    "address": case((_ROWS.street.is_(None), null()), else_=_ADDRESS),
    "monthly_income": amount_shown(_ROWS.monthly_income, _ROWS.income_currency),
}
SHOWN: Final[Mapping[str, ColumnElement[Any]]] = {
    name: _COMPUTED[name] if name in _COMPUTED else _ROWS[name] for name in ClientView.model_fields
}
"""The fields of a `ClientView`, by name."""

_TAKEN: Final[Mapping[str, type[ServiceError]]] = {
    DOCUMENT: DocumentTakenError,
    EXTERNAL_ID_OF_CLIENT: ExternalIdTakenError,
}


@dataclass(frozen=True, slots=True)
class Client:
    """A client as it is shown, and which version that is; `is_new` if this request has made it."""

    view: ClientView
    version: int
    is_new: bool = False


def visible_clients(caller: Caller) -> ColumnElement[bool]:
    """What a row has to be for the caller to see it."""
    own = caller.only_subject
    return true() if own is None else _ROWS.id == own


class Clients:
    """The clients of one transaction, which the caller commits.

    Args:
        session: In the transaction.
        context: Who asks.
    """

    def __init__(self, session: AsyncSession, context: RequestContext) -> None:
        self._session = session
        self._context = context

    async def register(self, new_client: NewClient) -> Client:
        """Store a new client. The indexes decide who has a document: asking first would lose a race.

        Raises:
            DocumentTakenError: The document belongs to another client (409).
            ExternalIdTakenError: The external id belongs to another client (409).
            IdTakenError: The id belongs to a client that differs, or was deleted (409).
            InvalidRequestError: The client is no adult (422).
        """
        self._require_adult(new_client)
        now = self._context.now
        row = {
            **new_client.stored(),
            "id": new_client.id or new_uuid7(now),
            "created_at": now,
            "updated_at": now,
            "version": 1,
            "fingerprint": new_client.fingerprint,
        }
        if new_client.id and await history.exists_for(self._session, CLIENT_HISTORY, new_client.id):
            return await self._registered_before(row)
        inserted = insert(CLIENTS).values(row).on_conflict_do_nothing().returning(*_selected())
        made = (await self._session.execute(inserted)).one_or_none()
        if made is None:
            return await self._registered_before(row)
        client = Client(_view(made), 1, is_new=True)
        await self._note(client, "create", history.changes_between(None, client.view))
        return client

    async def read(self, client_id: UUID) -> Client:
        """Look one client up.

        Raises:
            ClientNotFoundError: The caller sees no client of this id (404).
        """
        row = await self._row(client_id)
        return Client(_view(row), row.version)

    async def editable(self, client_id: UUID, accepted: Collection[int] | None) -> Client:
        """Look one client up to change it, and lock it until the transaction ends.

        Raises:
            ClientNotFoundError: The caller sees no client of this id (404).
            StaleEditError: Its version is not one of `accepted` (412).
        """
        row = await self._row(client_id, locked=True)
        if not accepts(accepted, row.version):
            raise StaleEditError
        return Client(_view(row), row.version)

    async def replace(self, client: Client, edit: ClientEdit) -> Client:
        """Make a client what the edit says; one that says nothing new changes nothing.

        Args:
            client: As `editable` has answered it.
            edit: As it is to be.

        Raises:
            DocumentTakenError: The document belongs to another client (409).
            ExternalIdTakenError: The external id belongs to another client (409).
            InvalidRequestError: The client would be no adult (422).
        """
        self._require_adult(edit)
        if edit.model_dump(mode="json") == client.view.model_dump(mode="json", include=set(ClientEdit.model_fields)):
            return client
        changed = {**edit.stored(), "updated_at": self._context.now, "version": client.version + 1}
        try:
            change = update(CLIENTS).where(_ROWS.id == client.view.id).values(changed).returning(*_selected())
            after = Client(_view((await self._session.execute(change)).one()), client.version + 1)
        except IntegrityError as error:
            if taken := _TAKEN.get(violated_constraint(error)):
                raise taken from None
            raise
        await self._note(after, "edit", history.changes_between(client.view, after.view))
        return after

    async def delete(self, client: Client) -> None:
        """Delete a client without loans; of its history stays who and when.

        Args:
            client: As `editable` has answered it.

        Raises:
            ClientHasLoansError: It has loans (409).
        """
        client_id = client.view.id
        try:
            async with self._session.begin_nested():
                await self._session.execute(delete(CLIENTS).where(_ROWS.id == client_id))
        except IntegrityError as error:
            if violated_constraint(error) == CLIENT_OF_LOAN:
                raise ClientHasLoansError(await self._loans_by_status(client_id)) from None
            raise
        await self._note(Client(client.view, client.version + 1), "delete", {})
        await history.forget_values(self._session, CLIENT_HISTORY, client_id)

    async def _row(self, client_id: UUID, *, locked: bool = False) -> Row[Any]:
        query = _query().where(_ROWS.id == client_id, visible_clients(self._context.caller))
        row: Row[Any] | None = (await self._session.execute(query.with_for_update() if locked else query)).one_or_none()
        if row is None:
            raise ClientNotFoundError(client_id)
        return row

    async def _registered_before(self, row: Mapping[str, Any]) -> Client:
        first = (await self._session.execute(_query().where(_ROWS.id == row["id"]))).one_or_none()
        if first is not None:
            if first.fingerprint != row["fingerprint"]:
                raise IdTakenError
            return Client(_view(first), first.version)
        if await history.exists_for(self._session, CLIENT_HISTORY, row["id"]):
            raise IdTakenError
        document = (_ROWS.document_number == row["document_number"], _ROWS.document_type == row["document_type"])
        has_document = await self._session.scalar(select(select(_ROWS.id).where(*document).exists()))
        raise DocumentTakenError if has_document else ExternalIdTakenError

    async def _loans_by_status(self, client_id: UUID) -> dict[str, int]:
        counted = (
            select(LOANS.c.status, func.count().label("loans"))
            .where(LOANS.c.client_id == client_id)
            .group_by(LOANS.c.status)
        )
        found = await self._session.execute(counted.order_by(LOANS.c.status))
        return {row.status: row.loans for row in found}

    async def _note(self, client: Client, command: str, changes: history.Changes) -> None:
        await history.append(
            self._session,
            CLIENT_HISTORY,
            self._context,
            subject_id=client.view.id,
            number=client.version,
            command=command,
            changes=changes,
        )

    def _require_adult(self, edit: ClientEdit) -> None:
        if _birthday(edit.birth_date, _ADULT_YEARS) > self._context.today:
            raise invalid_field("birth_date", f"A client is {_ADULT_YEARS} years old at least")


def _birthday(born_on: date, years: int) -> date:
    """Who was born on 29 February is a year older on 1 March, where the year has no such day."""
    year = born_on.year + years
    try:
        return born_on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _selected() -> list[ColumnElement[Any]]:
    return [*(column.label(name) for name, column in SHOWN.items()), _ROWS.version, _ROWS.fingerprint]


def _query() -> Select[Any]:
    return select(*_selected())


def _view(row: Row[Any]) -> ClientView:
    return ClientView.model_validate(row)
