"""Rows as callers write them."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

JsonObject = dict[str, Any]

COLUMNS = (
    *("document_type", "document_number", "first_name", "last_name"),
    *("email", "phone", "birth_date", "nationality"),
)


def row_of(number: int, **changes: object) -> JsonObject:
    ana = {
        "document_type": "passport",
        "document_number": f"PAB{number:06}",
        "first_name": "Ana María",
        "last_name": "Peña Ruiz",
        "email": f"ana{number}@example.com",
        "phone": f"+34600{number:06}",
        "birth_date": "1990-05-17",
        "nationality": "ES",
    }
    return ana | changes


def as_ndjson(rows: Sequence[JsonObject]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_json(rows: Sequence[JsonObject]) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def as_csv(rows: Sequence[JsonObject], columns: Sequence[str] = COLUMNS, **dialect: Any) -> bytes:  # noqa: ANN401 - csv's own
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator=dialect.pop("lineterminator", "\n"), **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
