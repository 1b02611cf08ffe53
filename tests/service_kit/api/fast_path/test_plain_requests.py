"""Requests that the fast path serves, and what they have in common with any other."""

import re

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.responses import Response

from service_kit.api.app import create_app
from service_kit.api.fast_path import FastPath, PlainRequest
from tests.service_kit.api.fast_path.conftest import (
    ASIDE,
    BROKEN,
    GONE,
    JSON,
    LETTER,
    LIMIT,
    build,
    router,
    served_by,
)
from tests.service_kit.conftest import ClientMaker
from tests.support.notes_api import NotesSettings
from tests.support.single_chunk_bodies import WholeBodies

pytestmark = pytest.mark.usefixtures("clean_environment")


async def test_serves_a_plain_request(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=LETTER, headers=JSON)

    assert (served_by(answer), answer.content) == ("lane", LETTER)


async def test_serves_an_empty_body_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", headers=JSON)

    assert (served_by(answer), answer.content) == ("lane", b"")


async def test_hands_over_the_apps_services_and_the_headers_by_small_names(make_client: ClientMaker) -> None:
    handed_over: list[PlainRequest] = []

    async def serve(request: PlainRequest) -> Response:
        handed_over.append(request)
        return Response()

    app = build(FastPath("POST", "/letters", serve))
    client = await make_client(WholeBodies(app))

    await client.post("/letters", content=LETTER, headers={**JSON, "X-Colour": "Red"})

    [request] = handed_over
    assert request.services is app.state.services
    assert (request.headers[b"x-colour"], request.body) == (b"Red", LETTER)


async def test_answers_with_the_headers_of_any_other_answer(client: httpx.AsyncClient) -> None:
    plain = await client.post("/letters", content=LETTER, headers={**JSON, "X-Request-ID": "mine"})
    other = await client.post("/letters", content=LETTER, headers={"Content-Type": "text/plain"})

    assert (served_by(plain), served_by(other)) == ("lane", "route")
    assert set(plain.headers) == set(other.headers)
    assert plain.headers["X-Request-ID"] == "mine"
    assert 0 < float(plain.headers["X-Process-Time"]) < 1


@pytest.mark.parametrize(
    ("body", "status"), [(LETTER, 200), (ASIDE, 200), (GONE, 410), (BROKEN, 500), (b" " * (LIMIT + 1), 413)]
)
async def test_one_console_line_and_one_sample_name_the_path(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], body: bytes, status: int
) -> None:
    labels = {"method": "POST", "route": "/letters", "status": str(status)}

    def counted() -> float:
        return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0

    before = counted()

    answer = await client.post("/letters", content=body, headers=JSON)

    assert counted() == before + 1
    [line] = [line for line in capsys.readouterr().out.splitlines() if " ms " in line]
    assert re.search(rf" POST /letters {status} [0-9.]+ ms request_id={answer.headers['X-Request-ID']}$", line)


async def test_is_not_in_the_documentation(client: httpx.AsyncClient) -> None:
    without_lane = create_app(NotesSettings(), description="Letters.", routers=[router])

    assert (await client.get("/openapi.json")).json() == without_lane.openapi()
