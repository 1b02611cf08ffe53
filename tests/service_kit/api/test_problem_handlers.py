import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api

JSON = {"Content-Type": "application/json"}


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of an answer, once it is sure that it is a whole one."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= {"type", "title", "status", "detail", "request_id"}
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    return problem


async def test_our_own_error_is_a_problem_with_its_headers_and_extensions(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes/gone")

    assert answer.headers["X-Bin"] == "paper"
    assert problem_of(answer) == {
        "type": "urn:problem-type:note-gone",
        "title": "Gone",
        "status": 410,
        "detail": "This note was thrown away. Write another.",
        "request_id": answer.headers["X-Request-ID"],
        "thrown_by": "me",
    }


async def test_an_invalid_request_lists_its_fields(client: httpx.AsyncClient) -> None:
    answer = await client.put("/notes/seven", json={"stars": "many", "tags": {"a": 1}})

    problem = problem_of(answer)
    assert (answer.status_code, problem["type"]) == (422, "urn:problem-type:invalid-request")
    assert {error["field"]: error["code"] for error in problem["errors"]} == {
        "path.number": "int_parsing",
        "body.text": "missing",
        "body.stars": "int_parsing",
        "body.tags.a": "string_type",
    }
    first = problem["errors"][0]
    assert problem["detail"] == (
        f"The request breaks 4 of the rules in /docs. First: {first['field']}: {first['message']}"
    )


async def test_an_invalid_request_is_never_repeated_in_the_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", json={"text": ["geheim"], "password": "geheim", "stars": "geheim"})

    assert len(problem_of(answer)["errors"]) == 3
    assert "geheim" not in answer.text


async def test_a_flood_of_mistakes_has_a_short_answer(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", json={"text": "", "tags": {f"{n:0>2000}": n for n in range(200)}})

    problem = problem_of(answer)
    assert problem["detail"].startswith("The request breaks 200 of the rules in /docs.")
    assert len(problem["errors"]) == 50
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "cut off',
        b"{'text': 'not json'}",
        b"\xff\xfe\xfa",
        b'{"text": "\xff"}',
        b'{"text": "\xed\xa0\x80"}',
        '{"text": "utf-16"}'.encode("utf-16"),
        '{"text": "utf-16"}'.encode("utf-16-le"),
        rb'{"text": "\ud800"}',
        rb'{"text": "a", "tags": {"\udfff": "b"}}',
        rb'{"text": "a", "tags": {"b": "\ud83d\ud83d"}}',
        b"[" * 100_000,
        b'{"tags":' * 100_000,
        b'{"text": "a", "stars": ' + b"9" * 5_000 + b"}",
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_a_body_that_is_no_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/notes", content=body, headers=JSON)

    assert (answer.status_code, problem_of(answer)["type"]) == (400, "urn:problem-type:malformed-request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"text": "a", "stars": NaN}',
        b'{"text": "a", "stars": Infinity}',
        b'{"text": "a", "price": NaN}',
        b'{"text": "a", "price": "-Infinity"}',
        b'{"text": "a", "stars": 1e999}',
        b'{"text": {"text": "a"}}',
    ],
)
async def test_json_that_is_no_note_is_invalid(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/notes", content=body, headers=JSON)

    assert (answer.status_code, problem_of(answer)["type"]) == (422, "urn:problem-type:invalid-request")


@pytest.mark.parametrize(
    "text", ["", "ñ", "\N{PARTY POPPER}", "a\0b", r"\ud800", "\u2028", "\N{PARTY POPPER}" * 10_000]
)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "as it is"])
async def test_any_whole_text_comes_back_as_it_was_sent(
    client: httpx.AsyncClient, text: str, *, ascii_only: bool
) -> None:
    body = json.dumps({"text": text, "tags": {text: text}}, ensure_ascii=ascii_only)

    answer = await client.post("/notes", content=body, headers=JSON)

    assert (answer.status_code, answer.json()) == (201, {"text": text, "tags": {text: text}})


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "multipart/form-data"}])
async def test_a_body_that_is_not_called_json_is_told_to_be(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/notes", content=b'{"text": "a"}', headers=headers)

    assert answer.status_code == 415
    assert problem_of(answer)["detail"] == "Send the body as JSON, with the header Content-Type: application/json."


@pytest.mark.parametrize("path", ["/nothing", "/notes/", "/notes/7/8", "/notes%00", "/%ff", "//notes"])
async def test_an_unknown_path_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(httpx.URL(f"http://notes{path}"))

    assert (answer.status_code, problem_of(answer)["type"]) == (404, "urn:problem-type:no-such-path")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/notes", "GET, HEAD, OPTIONS, POST"),
        ("TRACE", "/notes", "GET, HEAD, OPTIONS, POST"),
        ("BREW", "/notes", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/notes/7", "GET, HEAD, OPTIONS, PUT"),
        ("PUT", "/health/live", "GET, HEAD, OPTIONS"),
    ],
)
async def test_a_wrong_method_is_a_405_with_every_right_one(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert problem_of(answer)["type"] == "urn:problem-type:method-not-allowed"


async def test_methods_of_a_path_are_found_in_every_router(make_client: ClientMaker) -> None:
    other = APIRouter(prefix="/notes")
    other.delete("/{number}")(notes_api.count)
    outer = APIRouter()
    outer.include_router(other)
    client = await make_client(notes_api.build(routers=(notes_api.router, outer)))

    answer = await client.patch("/notes/7")

    assert answer.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


async def test_what_nobody_foresaw_is_a_500_that_shows_nothing_of_the_inside(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await client.post("/notes/broken")

    problem = problem_of(answer)
    assert (answer.status_code, problem["type"]) == (500, "urn:problem-type:internal-error")
    assert not re.search("inside|RuntimeError|Traceback|hunter2", answer.text)
    logged = capsys.readouterr().out
    assert f"unhandled_error request_id={problem['request_id']}\n  Traceback" in logged
    assert "RuntimeError: the inside of 7 things" in logged
    assert "hunter2" not in logged


async def test_an_answer_that_has_begun_can_only_be_cut_off(make_client: ClientMaker) -> None:
    router = APIRouter()

    @router.get("/half")
    async def half() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"half an ans"
            raise RuntimeError("the inside")

        return StreamingResponse(pieces())

    client = await make_client(notes_api.build(routers=(router,)))

    with pytest.raises(RuntimeError, match="the inside"):
        await client.get("/half")


async def test_a_drivers_error_is_translated(make_client: ClientMaker, capsys: pytest.CaptureFixture[str]) -> None:
    client = await make_client(notes_api.build(stored=True))

    answer = await client.post("/notes/stored")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    problem = problem_of(answer)
    assert problem["detail"] == "The database does not answer. Try again in a few seconds."
    told = f"foreign_error error=DriverError: 10.0.0.7 refused us request_id={problem['request_id']}"
    assert told in capsys.readouterr().out


async def test_a_refusal_of_the_framework_keeps_its_status(make_client: ClientMaker) -> None:
    router = APIRouter()

    @router.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "Short and stout.", {"X-Handle": "here"})

    client = await make_client(notes_api.build(routers=(router,)))

    answer = await client.get("/teapot")

    assert (answer.status_code, answer.headers["X-Handle"]) == (418, "here")
    assert problem_of(answer)["detail"] == "Short and stout."
