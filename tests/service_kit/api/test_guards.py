"""A router with a guard of its own beside one with the service's, and one that anybody may call."""

from http import HTTPStatus
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer
from starlette.responses import Response

from service_kit.api.app import create_app
from service_kit.api.fast_path import FastPath, PlainRequest
from service_kit.api.guards import Guard, Guarded
from service_kit.problems import ServiceError
from service_kit.settings.process import ApiSettings
from tests.service_kit.conftest import ClientMaker
from tests.support.notes_api import NotesSettings
from tests.support.single_chunk_bodies import WholeBodies

pytestmark = pytest.mark.usefixtures("clean_environment")


class PasswordRequiredError(ServiceError):
    """The word is missing."""

    status = HTTPStatus.UNAUTHORIZED
    code = "password-required"


WORD = APIKeyHeader(name="X-Word", scheme_name="Word", auto_error=False)


async def check_word(sent: Annotated[str | None, Security(WORD)]) -> None:
    if sent != "swordfish":
        raise PasswordRequiredError("Say the word.")


WORD_GUARD = Guard(
    check_word, WORD, (PasswordRequiredError,), admits=lambda headers: headers.get(b"x-word") == b"swordfish"
)
WITHOUT_FAST_PATHS = Guard(check_word, WORD, (PasswordRequiredError,))


def router_at(path: str) -> APIRouter:
    router = APIRouter()

    @router.get(path)
    @router.post(path)
    async def served() -> str:
        return "by the route"

    return router


async def serve_fast(_request: PlainRequest) -> Response:
    return Response("by the fast path")


def build(guard: Guard | None = WORD_GUARD) -> FastAPI:
    fast_path = Guarded(FastPath("POST", "/word", serve_fast), guard)
    return create_app(
        NotesSettings(api_key="the key"),
        description="Three doors.",
        routers=[
            router_at("/key"),
            Guarded(router_at("/word"), WORD_GUARD),
            Guarded(router_at("/open"), None),
            fast_path,
        ],
    )


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    return await make_client(WholeBodies(build()))


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/key", {}, 401),
        ("/key", {"X-Word": "swordfish"}, 401),
        ("/key", {"X-API-Key": "the key"}, 200),
        ("/word", {}, 401),
        ("/word", {"X-API-Key": "the key"}, 401),
        ("/word", {"X-Word": "swordfish"}, 200),
        ("/open", {}, 200),
    ],
)
async def test_asks_each_router_s_guard(
    client: httpx.AsyncClient, path: str, headers: dict[str, str], status: int
) -> None:
    assert (await client.get(path, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("guard", "word", "answer"),
    [
        (WORD_GUARD, "swordfish", "by the fast path"),
        (WORD_GUARD, "herring", "password-required"),
        (WITHOUT_FAST_PATHS, "swordfish", "by the route"),
        (None, "herring", "by the fast path"),
    ],
)
async def test_a_fast_path_takes_only_whom_its_guard_admits(
    make_client: ClientMaker, guard: Guard | None, word: str, answer: str
) -> None:
    client = await make_client(WholeBodies(build(guard)))

    answered = await client.post("/word", headers={"X-Word": word, "Content-Type": "application/json"}, content=b"{}")

    assert answer in answered.text


def test_the_documentation_shows_each_operation_s_guard_and_what_it_refuses() -> None:
    document = build().openapi()
    shown = {
        path: (methods["get"].get("security"), "401" in methods["get"]["responses"])
        for path, methods in document["paths"].items()
    }

    assert shown == {
        "/key": ([{"APIKeyHeader": []}], True),
        "/word": ([{"Word": []}], True),
        "/open": ([], False),
    }
    refused = document["paths"]["/word"]["get"]["responses"]["401"]
    assert refused["description"] == "`password-required`: The word is missing."


def test_refuses_a_router_of_which_nobody_said_who_may_call_it() -> None:
    def build_with(guard: Guard | None, router: APIRouter | Guarded) -> None:
        create_app(ApiSettings(), description="A door.", routers=[router], guard=guard)

    with pytest.raises(TypeError, match="Who may call"):
        build_with(None, router_at("/door"))
    build_with(WORD_GUARD, router_at("/door"))
    build_with(None, Guarded(router_at("/door"), None))


@pytest.mark.parametrize(
    ("scheme", "header"),
    [(WORD, "X-Word"), (APIKeyCookie(name="session"), "Cookie"), (HTTPBearer(), "Authorization")],
)
def test_names_the_header_that_caches_have_to_tell_callers_apart_by(
    scheme: APIKeyHeader | APIKeyCookie | HTTPBearer, header: str
) -> None:
    assert Guard(check_word, scheme, ()).header == header
