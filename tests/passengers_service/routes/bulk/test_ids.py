"""Rows with ids of their own, and documents that are known already."""

import httpx

from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import COLUMNS, as_csv, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import CSV, LENIENT, counts, load, reasons, stored

MINE = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"
THEIRS = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f51"


async def test_rows_may_bring_their_own_id(api: httpx.AsyncClient) -> None:
    body = as_ndjson([row_of(1, id=MINE), row_of(2)])

    assert counts(await load(api, body)) == (2, 2, 0, 0, 0)
    assert counts(await load(api, body)) == (2, 0, 0, 2, 0)
    assert (await api.get(f"/passengers/{MINE}")).json()["document_number"] == "PAB000001"


async def test_ids_that_cannot_be_are_bad_rows(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(1, id=MINE), row_of(2, id=THEIRS)]))
    assert (await api.delete(f"/passengers/{THEIRS}")).status_code == 204

    rows = [
        row_of(3, id=MINE),
        row_of(1, id=MINE[:-2] + "77"),
        row_of(2, id=THEIRS),
        row_of(4, id=MINE[:-2] + "88"),
        row_of(5, id=MINE[:-2] + "88"),
    ]
    answer = await load(api, as_csv(rows, ["id", *COLUMNS]), CSV, **LENIENT)

    assert reasons(answer) == [
        (1, "id", "This id is that of a passenger with another document"),
        (
            2,
            "document_number",
            f"This document is that of the passenger with the id {MINE}: send it with that id, or without any",
        ),
        (3, "id", "This id is that of a passenger who was deleted"),
        (5, "id", "The same id is in row 4 of this load already"),
    ]
    assert counts(answer) == (5, 1, 0, 0, 4)
    assert len(await stored(store)) == 3


async def test_the_document_of_a_deleted_passenger_is_free(api: httpx.AsyncClient, store: PostgresStore) -> None:
    await load(api, as_ndjson([row_of(1, id=MINE)]))
    await api.delete(f"/passengers/{MINE}")

    assert counts(await load(api, as_ndjson([row_of(1)]))) == (1, 1, 0, 0, 0)
    assert len(await stored(store)) == 2
