"""Bad rows of a load: all is refused or, on request, only these."""

import httpx
import pytest

from passengers_service.services.bulk.result import LISTED_MISTAKES
from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import as_csv, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import CSV, LENIENT, counts, events, load, reasons, stored


async def test_nothing_is_stored_if_a_row_is_bad(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(number) for number in range(2_100)]
    rows[1_234]["birth_date"] = "2090-01-01"
    rows[2_000]["nationality"] = "Spain"

    answer = await load(api, as_csv(rows), CSV)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "urn:problem-type:rejected-rows")
    assert (problem["received"], problem["rejected_count"]) == (2_100, 2)
    assert reasons(answer) == [
        (1_235, "birth_date", "Write a day from 1900-01-01 to yesterday, like 1990-05-17"),
        (2_001, "nationality", "A country is two capital letters of ISO 3166-1, like ES"),
    ]
    assert (await stored(store), await events(store)) == ([], [])


async def test_the_good_rows_are_stored_on_request(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(number) for number in range(1_200)]
    rows[600]["phone"] = "600 123"

    answer = await load(api, as_ndjson(rows), Prefer="respond-async, Handling=Lenient; x=1")

    assert counts(answer) == (1_200, 1_199, 0, 0, 1)
    assert [(row, field) for row, field, _ in reasons(answer)] == [(601, "phone")]
    assert answer.headers["Preference-Applied"] == "handling=lenient"
    assert len(await stored(store)) == 1_199


@pytest.mark.parametrize(
    ("prefer", "applied"), [("handling=strict", "handling=strict"), ("handling=odd", None), ("return=minimal", None)]
)
async def test_only_a_preference_that_was_applied_is_echoed(
    api: httpx.AsyncClient, prefer: str, applied: str | None
) -> None:
    answer = await load(api, as_ndjson([row_of(1)]), Prefer=prefer)

    assert answer.headers.get("Preference-Applied") == applied


async def test_the_same_document_twice_is_a_bad_row(api: httpx.AsyncClient, store: PostgresStore) -> None:
    rows = [row_of(1), row_of(2), row_of(1, document_number="pab000001", first_name="Eva"), row_of(1)]
    twice = "The same document is in row 1 of this load already"

    strict = await load(api, as_ndjson(rows))
    lenient = await load(api, as_ndjson(rows), **LENIENT)

    assert strict.status_code == 422
    assert reasons(strict) == reasons(lenient) == [(3, "document_number", twice), (4, "document_number", twice)]
    assert counts(lenient) == (4, 2, 0, 0, 2)
    assert await stored(store) == rows[:2]


async def test_many_mistakes_are_counted_and_the_first_are_listed(api: httpx.AsyncClient) -> None:
    answer = await load(api, as_ndjson([row_of(number, email="nobody") for number in range(2_500)]), **LENIENT)

    assert counts(answer) == (2_500, 0, 0, 0, 2_500)
    assert [row for row, *_ in reasons(answer)] == list(range(1, LISTED_MISTAKES + 1))
