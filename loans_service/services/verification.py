"""Whether histories are whole, and stored balances what payments say."""

from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from loans_service.models.status import DISBURSED, LoanStatus
from loans_service.models.tables import CLIENT_HISTORY, CLIENTS, LOAN_HISTORY, LOANS, PAYMENTS, REVERSALS
from loans_service.models.terms import computable_terms
from loans_service.money.payments import Payment
from loans_service.money.standing import NO_BOOKS, standing
from loans_service.services.books import payment_of
from loans_service.services.commands import columns_of
from loans_service.services.history import hash_of_changes, hash_of_entry

_HISTORIES: Final = (("client", CLIENTS, CLIENT_HISTORY), ("loan", LOANS, LOAN_HISTORY))
_BATCH: Final = 1000


async def mistakes(connection: AsyncConnection) -> AsyncIterator[str]:
    """A line for each mistake, of one instant: what others commit meanwhile is not seen."""
    await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    for kind, subjects, history in _HISTORIES:
        versions = {row.id: row.version for row in await connection.execute(select(subjects.c.id, subjects.c.version))}
        async for subject_id, entries in _grouped(connection, history):
            for mistake in broken_links(entries, versions.pop(subject_id, None)):
                yield f"{kind} {subject_id}: {mistake}"
        for subject_id in versions:
            yield f"{kind} {subject_id}: it has no history"
    async for mistake in _wrong_books(connection):
        yield mistake


def broken_links(entries: list[Mapping[str, Any]], version: int | None) -> Iterator[str]:
    """What is wrong with the history of one subject.

    Args:
        entries: In their order.
        version: Of the subject; None if it was deleted.
    """
    before: bytes | None = None
    for number, entry in enumerate(entries, start=1):
        if entry["number"] != number:
            yield f"entry {number} is missing"
            return
        if entry["changes"] is not None and hash_of_changes(entry["changes"]) != entry["changes_hash"]:
            yield f"the values of entry {number} were changed"
        if hash_of_entry(entry, before) != entry["hash"]:
            yield f"entry {number} was changed"
        before = entry["hash"]
    last = entries[-1]
    if version is None and last["command"] != "delete":
        yield "it is gone, and no entry says who has deleted it"
    if version is not None and last["number"] != version:
        yield f"its history ends at {last['number']}, and its version is {version}"
    if version is not None and any(entry["changes"] is None for entry in entries):
        yield "values of its history are gone, though it is there"


async def _grouped(connection: AsyncConnection, history: Table) -> AsyncIterator[tuple[Any, list[Mapping[str, Any]]]]:
    """The entries of each subject, without holding more than one of them."""
    ordered = select(history).order_by(history.c.subject_id, history.c.number)
    entries: list[Mapping[str, Any]] = []
    async with connection.stream(ordered.execution_options(yield_per=_BATCH)) as rows:
        async for row in rows:
            entry = row._asdict()
            if entries and entries[0]["subject_id"] != entry["subject_id"]:
                yield entries[0]["subject_id"], entries
                entries = []
            entries.append(entry)
    if entries:
        yield entries[0]["subject_id"], entries


async def _wrong_books(connection: AsyncConnection) -> AsyncIterator[str]:
    payments = await _standing_payments(connection)
    async with connection.stream(select(LOANS).execution_options(yield_per=_BATCH)) as rows:
        async for row in rows:
            for name, stored, folded in differences(row, payments.get(row.id, [])):
                yield f"loan {row.id}: {name} is {stored}, and its payments say {folded}"


def differences(row: Row[Any], payments: list[Payment]) -> Iterator[tuple[str, object, object]]:
    """The columns of a loan that are not what its payments say."""
    is_open = LoanStatus(row.status) in DISBURSED
    fields = row._asdict()
    books = standing(computable_terms(fields, row.disbursed_on), payments) if is_open else NO_BOOKS
    for name, folded in columns_of(books).items():
        stored = fields[name]
        if stored != folded:
            yield name, stored, folded
    if (
        is_open
        and row.status != LoanStatus.WRITTEN_OFF
        and (row.status == LoanStatus.PAID) is not bool(books.closed_on)
    ):
        yield "status", row.status, "paid" if books.closed_on else "active"


async def _standing_payments(connection: AsyncConnection) -> dict[Any, list[Payment]]:
    reversed_ids = select(REVERSALS.c.payment_id)
    query = select(PAYMENTS).where(PAYMENTS.c.id.not_in(reversed_ids)).order_by(PAYMENTS.c.loan_id, PAYMENTS.c.number)
    rows = (await connection.execute(query)).all()
    return {loan_id: [payment_of(row) for row in group] for loan_id, group in groupby(rows, lambda row: row.loan_id)}
