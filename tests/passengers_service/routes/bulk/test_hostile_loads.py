"""Loads that would stop everybody else."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from passengers_service.services.bulk.result import LISTED_MISTAKES
from tests.passengers_service.bulk_rows import as_json, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import JSON, LENIENT, MAX_ROWS, NDJSON, load, reasons

_LONGEST_PAUSE_SECONDS = 1.0
"""On a busy machine."""

FAT = {f"key_{place}": place for place in range(1_000)}


@asynccontextmanager
async def others_have_their_turn() -> AsyncIterator[None]:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    yield
    watching.cancel()
    assert longest < _LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (NDJSON, as_ndjson([row_of(number, **FAT) for number in range(120)])),
        (JSON, as_json([row_of(number, **FAT) for number in range(120)])),
        (NDJSON, b'{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}\n' * MAX_ROWS),
    ],
    ids=["fat rows", "fat rows in an array", "strange rows"],
)
async def test_unknown_keys_are_told_once_there_is_no_more_to_tell(
    api: httpx.AsyncClient, kind: str, body: bytes
) -> None:
    async with others_have_their_turn():
        answer = await load(api, body, kind)

    assert answer.status_code == 422
    assert answer.json()["rejected_count"] == answer.json()["received"]
    assert len(reasons(answer)) <= LISTED_MISTAKES
    assert len(answer.content) < 200_000


async def test_an_array_of_anything_is_counted_before_it_is_read(api: httpx.AsyncClient) -> None:
    async with others_have_their_turn():
        answer = await load(api, b"[" + b"1," * 900_000 + b"1]", JSON, **LENIENT)

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:too-many-rows")
