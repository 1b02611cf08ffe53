"""Bodies that are no load, or only half of one."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Message

from service_kit.postgres.store import PostgresStore
from tests.passengers_service.bulk_rows import COLUMNS, as_csv, as_json, as_ndjson, row_of
from tests.passengers_service.routes.bulk.conftest import (
    CSV,
    JSON,
    LENIENT,
    MAX_ROWS,
    NDJSON,
    counts,
    events,
    load,
    stored,
)


async def test_a_connection_that_ends_half_way_stores_nothing(
    app: FastAPI, api: httpx.AsyncClient, store: PostgresStore
) -> None:
    body = as_ndjson([row_of(number) for number in range(4_000)])
    half = body[: body.index(b"\n", len(body) // 2) + 1]
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": half, "more_body": True},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [
        (b"content-type", NDJSON.encode()),
        *((name.lower().encode(), value.encode()) for name, value in LENIENT.items()),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/passengers/bulk",
        "headers": headers,
        "query_string": b"",
        "server": ("api", 80),
        "client": ("me", 1),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
    }
    await app(scope, receive, send)

    assert sent[0]["status"] == 400
    assert b"Nothing of it was stored" in sent[1]["body"]
    assert (await stored(store), await events(store)) == ([], [])
    assert counts(await load(api, body)) == (4_000, 4_000, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (CSV, as_csv([row_of(1), row_of(2)])[:-20], "body-unfinished"),
        (NDJSON, as_ndjson([row_of(1), row_of(2)])[:-20], "body-unfinished"),
        (JSON, as_json([row_of(1), row_of(2)])[:-20], "malformed-request"),
        (CSV, as_csv([row_of(1)], COLUMNS[:-1], extrasaction="ignore"), "bad-header-line"),
    ],
    ids=["csv", "ndjson", "json", "missing column"],
)
async def test_half_a_body_is_refused_even_if_it_was_framed(
    api: httpx.AsyncClient, store: PostgresStore, kind: str, body: bytes, code: str
) -> None:
    answer = await load(api, body, kind, **LENIENT)

    assert (answer.status_code, answer.json()["type"]) == (400, f"urn:problem-type:{code}")
    assert await stored(store) == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b"x", 415, "unknown-format"),
        (NDJSON, b"", 422, "no-rows"),
        (JSON, b"[]", 422, "no-rows"),
        (CSV, as_csv([]), 422, "no-rows"),
        (CSV, b"", 422, "no-rows"),
        (NDJSON, as_ndjson([row_of(1)]) * (MAX_ROWS + 1), 413, "too-many-rows"),
        (JSON, as_json([row_of(1)] * 10_000), 413, "body-too-large"),
    ],
)
async def test_what_is_no_load_is_refused(
    api: httpx.AsyncClient, kind: str, body: bytes, status: int, code: str
) -> None:
    answer = await load(api, body, kind, **LENIENT)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:problem-type:{code}")
