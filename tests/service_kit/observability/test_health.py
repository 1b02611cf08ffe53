import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service_kit.resources import Check
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api


async def well() -> None:
    pass


async def ill() -> None:
    raise ConnectionError("mongodb://me:geheim@10.0.0.7 refused us")


async def silent() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("checks", "status_code", "answer"),
    [
        ((), 200, {"status": "ok", "checks": {}}),
        ((Check("store", well),), 200, {"status": "ok", "checks": {"store": "ok"}}),
        ((Check("store", ill),), 503, {"status": "unavailable", "checks": {"store": "ConnectionError"}}),
        (
            (Check("store", well), Check("broker", ill, required=False)),
            200,
            {"status": "degraded", "checks": {"store": "ok", "broker": "ConnectionError"}},
        ),
        (
            (Check("store", ill), Check("broker", ill, required=False)),
            503,
            {"status": "unavailable", "checks": {"store": "ConnectionError", "broker": "ConnectionError"}},
        ),
    ],
    ids=["needs nothing", "all well", "without what it needs", "without what it can do without", "without either"],
)
async def test_readiness_asks_whatever_the_service_needs(
    make_client: ClientMaker, checks: tuple[Check, ...], status_code: int, answer: dict[str, object]
) -> None:
    client = await make_client(notes_api.build(checks=checks))

    ready = await client.get("/health/ready")

    assert (ready.status_code, ready.json()) == (status_code, answer)


async def test_a_check_that_hangs_is_given_up(make_client: ClientMaker) -> None:
    checks = (Check("store", silent, timeout_seconds=0.01), Check("broker", well))
    client = await make_client(notes_api.build(checks=checks))

    async with asyncio.timeout(0.5):
        ready = await client.get("/health/ready")

    assert ready.status_code == 503
    assert ready.json()["checks"] == {"store": "no answer", "broker": "ok"}


async def test_checks_are_asked_at_the_same_moment(make_client: ClientMaker) -> None:
    both_asked = asyncio.Barrier(2)

    async def waits_for_the_other() -> None:
        await both_asked.wait()

    checks = (Check("store", waits_for_the_other), Check("broker", waits_for_the_other))
    client = await make_client(notes_api.build(checks=checks))

    assert (await client.get("/health/ready")).json()["status"] == "ok"


async def test_liveness_never_asks(make_client: ClientMaker) -> None:
    client = await make_client(notes_api.build(checks=(Check("store", ill),)))

    live = await client.get("/health/live")

    assert (live.status_code, live.json()) == (200, {"status": "ok"})


async def test_metrics_are_what_prometheus_reads(make_client: ClientMaker) -> None:
    client = await make_client(notes_api.build())
    await client.get("/notes/7")

    answer = await client.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    labels = {sample.labels.get("route") for sample in families["http_request_duration_seconds"].samples}
    assert "/notes/{number}" in labels
    assert "process_cpu_seconds" in families
