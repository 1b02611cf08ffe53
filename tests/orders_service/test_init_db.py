"""Orders that came in under one idempotency key while its unique index was not there."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
from bson import ObjectId

from orders_service.config.settings import OrdersSettings
from orders_service.models.order import IDEMPOTENCY_INDEX
from tests.orders_service.conftest import Stored, is_ready, place
from tests.support.rabbit_support import until

ROOT = Path(__file__).parents[2]


def run(settings: OrdersSettings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "orders_service.init_db", *arguments],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "MONGODB_URI": settings.mongodb_uri.get_secret_value(),
            "MONGODB_DATABASE": settings.mongodb_database,
        },
        check=False,
        capture_output=True,
        text=True,
    )


async def test_orders_of_one_key_are_told_and_settled_without_losing_one(
    api: httpx.AsyncClient, stored: Stored, settings: OrdersSettings
) -> None:
    oldest = (await place(api, key="k-1")).json()
    document = await stored.find_one({})
    assert document
    await stored.drop_index(IDEMPOTENCY_INDEX)
    younger = [ObjectId(), ObjectId()]
    later = [document["created_at"] + timedelta(milliseconds=number) for number in (1, 2)]
    copies = zip(younger, later, strict=True)
    await stored.insert_many([{**document, "_id": other, "created_at": at} for other, at in copies])

    async def is_told() -> bool:
        verdict = (await api.get("/health/ready")).json()["checks"]["mongodb"]
        return f"documents {oldest['id']}, {younger[0]}, {younger[1]}. `python -m orders_service.init_db" in verdict

    await until(is_told)
    assert (await place(api, key="k-2")).status_code == 503
    assert (
        f'orders.{IDEMPOTENCY_INDEX}: "k-1", null: {oldest["id"]} would keep it' in run(settings, "duplicates").stdout
    )

    settled = run(settings, "settle")

    assert settled.returncode == 0, settled.stdout
    await until(lambda: is_ready(api))
    again = await place(api, key="k-1")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (oldest, "true")
    assert [(await api.get(f"/orders/{other}")).json()["status"] for other in younger] == ["placed"] * 2
    assert await stored.count_documents({"idempotency_repeated.key": "k-1"}) == 2
