"""Loads of many steps, made by chance: known, new, deleted and repeated passengers, some with ids of their own."""

from random import Random
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from msgspec import UNSET
from sqlalchemy import text

from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import JsonObject, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import LENIENT, asked, counts, events, load

_IDS = [str(UUID(int=(0x019A8F3E7C007 << 76) | (0b10 << 62) | number)) for number in range(12)]


class Expected:
    """What docs/architecture/loads.md promises, row by row.

    Attributes:
        passengers: The rows that are stored, by document; `id` is None if the service has made it.
        gone: Ids of deleted passengers.
    """

    def __init__(self) -> None:
        self.passengers: dict[str, JsonObject] = {}
        self.gone: set[str] = set()

    def load(self, rows: list[JsonObject]) -> tuple[tuple[int, ...], list[int]]:
        """Counts, and the numbers of the rejected rows."""
        good = _first_of_each(_first_of_each(list(enumerate(rows, 1)), "document_number"), "id")
        kept, created, updated = [], 0, 0
        for number, row in good:
            known = self.passengers.get(row["document_number"])
            if self._is_rejected(row, known):
                continue
            kept.append(number)
            new = row | {"id": known["id"] or row["id"] if known else row["id"]}
            created += known is None
            updated += known is not None and known != new
            self.passengers[row["document_number"]] = new
        rejected = sorted({number for number, _ in enumerate(rows, 1)} - set(kept))
        unchanged = len(kept) - created - updated
        return (len(rows), created, updated, unchanged, len(rejected)), rejected

    def _is_rejected(self, row: JsonObject, known: JsonObject | None) -> bool:
        if row["id"] is None or (known and known["id"] == row["id"]):
            return False
        taken = {passenger["id"] for passenger in self.passengers.values()} | self.gone
        return known is not None or row["id"] in taken

    def delete(self, document: str) -> None:
        self.gone.add(self.passengers.pop(document)["id"])


def _first_of_each(rows: list[tuple[int, JsonObject]], name: str) -> list[tuple[int, JsonObject]]:
    firsts: dict[object, int] = {}
    return [
        (number, row) for number, row in rows if row[name] is None or firsts.setdefault(row[name], number) == number
    ]


def _load_by_chance(random: Random) -> list[JsonObject]:
    return [
        row_of(
            random.randrange(30),
            first_name=random.choice(["Ana", "Eva"]),
            email=random.choice([None, "ana@example.com"]),
            id=random.choice([None, None, None, *_IDS]),
        )
        for _ in range(random.randrange(1, 25))
    ]


@pytest.mark.parametrize("step_rows", [4])
@pytest.mark.parametrize("seed", range(25))
async def test_do_what_is_promised_whatever_comes(api: httpx.AsyncClient, store: PostgresStore, seed: int) -> None:
    random, expected = Random(seed), Expected()
    for _ in range(6):
        rows = _load_by_chance(random)
        counted, rejected = expected.load(rows)

        answer = await load(api, as_ndjson(rows), **LENIENT)

        assert counts(answer) == counted
        assert sorted({one["row"] for one in answer.json()["rejected"]}) == rejected
        await _delete_one(store, expected, random)
    assert await _stored(store) == {document: _shown(row) for document, row in expected.passengers.items()}
    await _require_events_that_tell_it_all(store)


async def _delete_one(store: PostgresStore, expected: Expected, random: Random) -> None:
    with_ids = [document for document, row in expected.passengers.items() if row["id"]]
    if with_ids:
        document = random.choice(with_ids)
        expected.delete(document)
        async with store.transaction() as session:
            deletion = text("UPDATE passengers SET deleted_at = now() WHERE document_number = :document AND is_listed")
            await session.execute(deletion, {"document": document})


def _shown(row: JsonObject) -> tuple[str, str | None]:
    return row["first_name"], row["email"]


async def _stored(store: PostgresStore) -> dict[str, tuple[str, str | None]]:
    rows = await asked(store, "SELECT document_number, first_name, email FROM passengers WHERE is_listed")
    return {row[0]: (row[1], row[2]) for row in rows}


async def _require_events_that_tell_it_all(store: PostgresStore) -> None:
    """Whoever follows the events, each field by its latest stamp, knows all that is stored."""
    followed: dict[tuple[str, str], tuple[str, Any]] = {}
    for event in await events(store):
        for change in event.changes:
            for name, value in msgspec.structs.asdict(change.fields).items():
                key, told = (str(change.id), name), (change.stamp, value)
                if value is not UNSET:
                    assert key not in followed or followed[key][0] < change.stamp
                    followed[key] = told
    rows = await asked(store, "SELECT id, first_name, email FROM passengers")
    assert {str(row.id): (row.first_name, row.email) for row in rows} == {
        passenger_id: (value, followed[passenger_id, "email"][1])
        for (passenger_id, name), (_, value) in followed.items()
        if name == "first_name"
    }
