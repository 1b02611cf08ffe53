import re
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Body, FastAPI, Request
from prometheus_client import REGISTRY
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_kit.app import create_app
from service_kit.fast_lane import FastLane, PlainRequest
from service_kit.settings import ApiSettings
from tests.service_kit import notes_api
from tests.service_kit.conftest import ClientMaker

pytestmark = pytest.mark.usefixtures("clean_environment")

JSON = {"Content-Type": "application/json"}
JSON_BYTES = (b"Content-Type", b"application/json")
LETTER = b'{"text": "Dear \xc3\x91"}'
ASIDE, GONE, BROKEN = b'"aside"', b'"gone"', b'"broken"'
LIMIT = 2048

router = APIRouter()


@router.post("/letters")
async def by_route(request: Request, letter: Annotated[object, Body()] = None) -> Response:  # noqa: ARG001 - for FastAPI to read
    return Response(await request.body(), headers={"X-Served-By": "route"}, media_type="application/json")


async def by_lane(request: PlainRequest) -> Response | None:
    if request.body == ASIDE:
        return None
    if request.body == GONE:
        raise notes_api.NoteGoneError
    if request.body == BROKEN:
        raise RuntimeError("the inside of things")
    return Response(request.body, headers={"X-Served-By": "lane"}, media_type="application/json")


class WholeBodies:
    """Hands a body over in one message, as uvicorn does with a small one; httpx splits even the shortest."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = [await receive()]
        while messages[-1]["more_body"]:
            messages.append(await receive())
        whole = {"type": "http.request", "body": b"".join(message["body"] for message in messages)}
        waiting = [whole]

        async def receive_whole() -> Message:
            return waiting.pop() if waiting else await receive()

        await self.app(scope, receive_whole, send)


def build(lane: FastLane | None = None, **settings: object) -> FastAPI:
    """An API whose one path has both a lane and a route."""
    return create_app(
        ApiSettings.model_validate({"max_body_bytes": LIMIT, **settings}),
        description="Letters.",
        routers=[router, lane or FastLane("POST", "/letters", by_lane)],
        lifespan=notes_api.nothing_to_open,
    )


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    """A client of the letters API, whose bodies arrive whole."""
    return await make_client(WholeBodies(build()))


def served_by(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return str(answer.headers["X-Served-By"])


async def test_serves_a_plain_request(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=LETTER, headers=JSON)

    assert (served_by(answer), answer.content) == ("lane", LETTER)


async def test_hands_over_the_apps_state_and_the_headers_by_small_names(make_client: ClientMaker) -> None:
    handed_over: list[PlainRequest] = []

    async def serve(request: PlainRequest) -> Response:
        handed_over.append(request)
        return Response()

    app = build(FastLane("POST", "/letters", serve))
    client = await make_client(WholeBodies(app))

    await client.post("/letters", content=LETTER, headers={**JSON, "X-Colour": "Red"})

    [request] = handed_over
    assert request.state is app.state
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


@pytest.mark.parametrize(("method", "path", "status"), [("PUT", "/letters", 405), ("POST", "/letters/", 404)])
async def test_refuses_other_methods_and_paths_as_without_a_lane(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, content=LETTER, headers=JSON)

    assert (answer.status_code, answer.headers.get("Allow")) == (status, "POST" if status == 405 else None)


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


async def test_serves_an_empty_body_too(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", headers=JSON)

    assert (served_by(answer), answer.content) == ("lane", b"")


@pytest.mark.parametrize(("size_bytes", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_keeps_to_the_limit_of_bodies(client: httpx.AsyncClient, size_bytes: int, status: int) -> None:
    answer = await client.post("/letters", content=b" " * size_bytes, headers=JSON)

    assert answer.status_code == status
    assert status == 200 or answer.json()["type"] == "urn:problem-type:body-too-large"


async def test_refuses_half_a_character(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=rb'{"text": "\ud800"}', headers=JSON)

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:problem-type:malformed-request")


async def test_renders_a_refusal_with_its_headers_and_extensions(client: httpx.AsyncClient) -> None:
    answer = await client.post("/letters", content=GONE, headers=JSON)

    assert (answer.status_code, answer.headers["X-Bin"]) == (410, "paper")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json()["type"], answer.json()["thrown_by"]) == ("urn:problem-type:note-gone", "me")


async def test_what_nobody_foresaw_is_a_500_that_shows_nothing_of_the_inside(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await client.post("/letters", content=BROKEN, headers=JSON)

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (500, "urn:problem-type:internal-error")
    assert "inside" not in answer.text
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert f"unhandled_error request_id={problem['request_id']}\nTraceback" in capsys.readouterr().out


class TestKeys:
    @pytest.fixture
    async def client(self, make_client: ClientMaker) -> httpx.AsyncClient:
        """A client of an API with two keys, one of them not ASCII."""
        return await make_client(WholeBodies(build(api_key="right, ключ")))

    @pytest.mark.parametrize("key", ["right", "ключ"])
    async def test_serves_the_bearer_of_any_key(self, client: httpx.AsyncClient, key: str) -> None:
        answer = await client.post("/letters", content=LETTER, headers=[JSON_BYTES, (b"X-API-Key", key.encode())])

        assert served_by(answer) == "lane"

    @pytest.mark.parametrize("keys", [[], [b""], [b"wrong"], [b"right, \xd0\xba"], [b"\xff"], [b"wrong", b"right"]])
    async def test_stops_everybody_else(self, client: httpx.AsyncClient, keys: list[bytes]) -> None:
        headers = [JSON_BYTES, *((b"X-API-Key", key) for key in keys)]

        answer = await client.post("/letters", content=LETTER, headers=headers)

        assert (answer.status_code, answer.json()["type"]) == (401, "urn:problem-type:api-key-required")

    async def test_stay_those_of_their_own_app(self, make_client: ClientMaker) -> None:
        lane = FastLane("POST", "/letters", by_lane)
        guarded = await make_client(WholeBodies(build(lane, api_key="right")))
        build(lane)

        assert (await guarded.post("/letters", content=LETTER, headers=JSON)).status_code == 401


async def test_stands_aside_while_requests_are_traced(
    make_client: ClientMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real one would set the tracer provider of all tests of this process.
    monkeypatch.setattr("service_kit.app.configure_tracing", lambda _settings: None)
    client = await make_client(WholeBodies(build(otel_exporter_otlp_endpoint="http://127.0.0.1:4318")))

    answer = await client.post("/letters", content=LETTER, headers=JSON)

    assert served_by(answer) == "route"


async def test_is_not_in_the_documentation(client: httpx.AsyncClient) -> None:
    without_lane = create_app(
        ApiSettings(), description="Letters.", routers=[router], lifespan=notes_api.nothing_to_open
    )

    assert (await client.get("/openapi.json")).json() == without_lane.openapi()


HALF = {"type": "http.request", "body": b'{"text": "hal', "more_body": True}


@pytest.mark.parametrize("before", [[], [HALF]], ids=["before its body", "in its midst"])
async def test_a_client_that_leaves_while_it_sends_is_a_499(
    capsys: pytest.CaptureFixture[str], before: list[Message]
) -> None:
    messages = iter([*before, {"type": "http.disconnect"}])
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/letters",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")],
    }

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    await build()(scope, receive, send)

    assert sent[0]["status"] == 499
    assert " POST /letters 499 " in capsys.readouterr().out
