import re
from collections.abc import Callable

import httpx
import pytest
from fastapi import APIRouter
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from service_kit.api.request_timing import TimingMiddleware
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api

Lines = Callable[[], list[str]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What the console shows of requests since the last call, without the instant and the level."""
    return lambda: [
        line.split(maxsplit=2)[2] for line in capsys.readouterr().out.splitlines() if re.search(" [0-9.]+ ms ", line)
    ]


def counted(method: str, route: str, status: int) -> float:
    labels = {"method": method, "route": route, "status": str(status)}
    return REGISTRY.get_sample_value("http_request_duration_seconds_count", labels) or 0


async def test_every_answer_says_how_long_it_took(client: httpx.AsyncClient) -> None:
    answer = await client.get("/notes/7")

    seconds = float(answer.headers["X-Process-Time"])
    assert 0 < seconds < 1
    dur = float(answer.headers["Server-Timing"].removeprefix("app;dur="))
    assert dur == pytest.approx(seconds * 1000, abs=0.01)


@pytest.mark.parametrize("wanted", ["a", "9f86d081-884c.7d65_X", "x" * 64])
async def test_keeps_the_callers_request_id(client: httpx.AsyncClient, lines: Lines, wanted: str) -> None:
    answer = await client.get("/notes/7", headers={"X-Request-ID": wanted})

    assert answer.headers.get_list("X-Request-ID") == [wanted]
    assert lines()[-1].endswith(f" request_id={wanted}")


@pytest.mark.parametrize("unwanted", ["", "x" * 65, "two words", 'quo"te', "a=b", "ñ"])
async def test_replaces_a_request_id_that_is_no_plain_token(client: httpx.AsyncClient, unwanted: str) -> None:
    answer = await client.get("/notes/7", headers={b"X-Request-ID": unwanted.encode()})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-ID"])


async def test_makes_a_request_id_of_its_own_for_each_request(client: httpx.AsyncClient) -> None:
    ids = {(await client.get("/notes/7")).headers["X-Request-ID"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize(
    ("method", "path", "seen"),
    [
        ("GET", "/notes/7", "GET /notes/{number} 200"),
        ("GET", "/notes/seven", "GET /notes/{number} 422"),
        ("PATCH", "/notes/7", "PATCH /notes/{number} 405"),
        ("POST", "/notes/broken", "POST /notes/broken 500"),
        ("GET", "/v1/old/notes/7", "GET /v1/old/notes/{number} 200"),
        ("GET", "/docs", "GET /docs 200"),
        ("GET", "/no/such/7", "GET unmatched 404"),
        ("BREW", "/notes/7", "OTHER /notes/{number} 405"),
    ],
)
async def test_one_console_line_and_one_sample_name_the_routes_template(
    make_client: ClientMaker, lines: Lines, method: str, path: str, seen: str
) -> None:
    nested = APIRouter(prefix="/v1")
    nested.include_router(notes_api.router, prefix="/old")
    client = await make_client(notes_api.build(routers=(notes_api.router, nested)))
    label, route, status = seen.split()
    before = counted(label, route, int(status))

    await client.request(method, path)

    (line,) = lines()
    assert re.fullmatch(rf"{re.escape(seen)} [0-9.]+ ms request_id=[0-9a-f]{{16}}", line)
    assert counted(label, route, int(status)) == before + 1


async def test_a_plain_route_with_a_parameter_floods_no_metrics(make_client: ClientMaker, lines: Lines) -> None:
    async def hello(_request: Request) -> Response:
        return Response()

    app = notes_api.build()
    app.add_route("/plain/{number}", hello)
    client = await make_client(app)

    await client.get("/plain/7")

    assert lines()[-1].startswith("GET unmatched 200 ")


async def test_a_body_that_is_too_large_has_its_line_too(client: httpx.AsyncClient, lines: Lines) -> None:
    await client.post("/notes", content=b" " * 2_000_000, headers={"Content-Type": "application/json"})

    assert lines()[-1].startswith("POST /notes 413 ")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
async def test_probes_are_counted_but_have_no_line(client: httpx.AsyncClient, lines: Lines, path: str) -> None:
    before = counted("GET", path, 200)

    await client.get(path)

    assert lines() == []
    assert counted("GET", path, 200) == before + 1


@pytest.mark.parametrize(
    ("path", "route", "status"), [("/users/list", "/admin/{table}/list", 200), ("/no/such/7", "/admin/*", 404)]
)
async def test_a_mounted_app_is_named_by_its_mount(
    make_client: ClientMaker, path: str, route: str, status: int
) -> None:
    async def hello(_request: Request) -> Response:
        return Response()

    app = notes_api.build()
    app.mount("/admin", Starlette(routes=[Route("/{table}/list", hello)]))
    client = await make_client(app)
    before = counted("GET", route, status)

    await client.get(f"/admin{path}")

    assert counted("GET", route, status) == before + 1


async def call(app: Callable[[Scope, Receive, Send], object], *received: Message) -> list[Message]:
    """One `POST /notes` by hand, for what no client library does."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/notes",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")],
    }
    messages = iter(received)
    sent: list[Message] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)  # type: ignore[misc]  # every ASGI app is awaited
    return sent


async def test_a_client_that_leaves_while_it_sends_is_a_499(lines: Lines) -> None:
    half = {"type": "http.request", "body": b'{"text": "hal', "more_body": True}

    await call(notes_api.build(), half, {"type": "http.disconnect"})

    (line,) = lines()
    assert line.startswith("POST /notes 499 ")


async def test_what_is_no_http_request_passes_through() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    await TimingMiddleware(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]  # nothing is sent

    assert seen == [{"type": "lifespan"}]
