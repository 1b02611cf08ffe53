"""What the fast path itself refuses, and who leaves it half-way: answered as any route would."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Message

from service_kit.api.fast_path import FastPath
from tests.service_kit.api.fast_path.conftest import (
    BROKEN,
    GONE,
    JSON,
    LETTER,
    LIMIT,
    build,
    by_lane,
    served_by,
)
from tests.service_kit.conftest import ClientMaker
from tests.support.single_chunk_bodies import WholeBodies

pytestmark = pytest.mark.usefixtures("clean_environment")

JSON_BYTES = (b"Content-Type", b"application/json")


@pytest.mark.parametrize(("size_bytes", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
async def test_keeps_to_the_limit_of_bodies(client: httpx.AsyncClient, size_bytes: int, status: int) -> None:
    answer = await client.post("/letters", content=b" " * size_bytes, headers=JSON)

    assert answer.status_code == status
    assert status == 200 or answer.json()["type"] == "urn:problem-type:body-too-large"


async def test_refuses_by_the_announced_size_before_anything_is_read(make_client: ClientMaker) -> None:
    client = await make_client(build())

    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("somebody has read the body")
        yield b""

    announced = {**JSON, "Content-Length": str(LIMIT + 1)}
    answer = await client.post("/letters", content=unread(), headers=announced)

    assert answer.status_code == 413


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
    assert f"unhandled_error request_id={problem['request_id']}\n  Traceback" in capsys.readouterr().out


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
        lane = FastPath("POST", "/letters", by_lane)
        guarded = await make_client(WholeBodies(build(lane, api_key="right")))
        build(lane)

        assert (await guarded.post("/letters", content=LETTER, headers=JSON)).status_code == 401


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
