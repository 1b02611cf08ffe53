"""Requests that are not plain: the route serves them as if there were no lane."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.service_kit.api.fast_path.conftest import ASIDE, JSON, LETTER, build, served_by
from tests.service_kit.conftest import ClientMaker
from tests.support.single_chunk_bodies import WholeBodies

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/json; charset=utf-8")],
        [("Content-Type", "Application/JSON")],
        [("Content-Type", "application/merge-patch+json")],
        [("Content-Type", "application/json")] * 2,
        [*JSON.items(), ("X-Colour", "red"), ("X-Colour", "blue")],
        [*JSON.items(), ("X-Colour", "red"), ("x-colour", "red")],
    ],
    ids=str,
)
async def test_leaves_other_headers_to_the_route(client: httpx.AsyncClient, headers: list[tuple[str, str]]) -> None:
    answer = await client.post("/letters", content=LETTER, headers=headers)

    assert (served_by(answer), answer.content) == ("route", LETTER)


async def test_leaves_a_query_to_the_route(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters?colour=red", content=LETTER, headers=JSON)

    assert (served_by(answer), answer.content) == ("route", LETTER)


async def test_leaves_many_values_to_the_route(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=b"[" + b"0," * 1000 + b"0]", headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:problem-type:invalid-request")


@pytest.mark.parametrize(("method", "path", "status"), [("PUT", "/letters", 405), ("POST", "/letters/", 404)])
async def test_refuses_other_methods_and_paths_as_without_a_lane(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, content=LETTER, headers=JSON)

    allowed = "OPTIONS, POST" if status == 405 else None
    assert (answer.status_code, answer.headers.get("Allow")) == (status, allowed)


async def chunked(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 7):
        yield body[start : start + 7]


@pytest.mark.parametrize("send", [bytes, chunked], ids=["in two messages", "in many"])
async def test_gives_a_body_in_several_messages_back_to_the_route(make_client: ClientMaker, send: type[bytes]) -> None:
    client = await make_client(build())

    answer = await client.post("/letters", content=send(LETTER), headers=JSON)

    assert (served_by(answer), answer.content) == ("route", LETTER)


async def test_gives_the_body_back_if_it_is_not_plain_after_all(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=ASIDE, headers=JSON)

    assert (served_by(answer), answer.content) == ("route", ASIDE)


async def test_stands_aside_while_requests_are_traced(
    make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real one would set the tracer provider of all tests of this process.
    monkeypatch.setattr("service_kit.api.app.configure_tracing", lambda _settings: None)
    client = await make_client(WholeBodies(build(otel_exporter_otlp_endpoint="http://127.0.0.1:4318")))

    answer = await client.post("/letters", content=LETTER, headers=JSON)

    assert served_by(answer) == "route"
