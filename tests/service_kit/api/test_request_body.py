import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

JSON = {"Content-Type": "application/json"}
LIMIT = 2048


@pytest.fixture
async def client(make_client: ClientMaker) -> httpx.AsyncClient:
    return await make_client(notes_api.build(NotesSettings(max_body_bytes=LIMIT)))


def note_of(size_bytes: int) -> bytes:
    frame = b'{"text": "%s"}'
    return frame % (b"x" * (size_bytes - len(frame) + 2))


async def chunked(body: bytes) -> AsyncIterator[bytes]:
    """Without Content-Length, a third at a time."""
    for start in range(0, len(body), 701):
        yield body[start : start + 701]


@pytest.mark.parametrize("send", [bytes, chunked], ids=["announced", "chunked"])
@pytest.mark.parametrize(("size_bytes", "status"), [(LIMIT, 201), (LIMIT + 1, 413)])
async def test_takes_bodies_up_to_the_limit(
    client: httpx.AsyncClient, send: type[bytes], size_bytes: int, status: int
) -> None:
    answer = await client.post("/notes", content=send(note_of(size_bytes)), headers=JSON)

    assert answer.status_code == status


@pytest.mark.parametrize("send", [bytes, chunked], ids=["announced", "chunked"])
async def test_a_body_over_the_limit_is_told_the_limit(client: httpx.AsyncClient, send: type[bytes]) -> None:
    answer = await client.post("/notes", content=send(note_of(3 * LIMIT)), headers=JSON)

    problem = answer.json()
    assert problem["type"] == "urn:problem-type:body-too-large"
    assert problem["detail"] == "The body is larger than 2048 bytes. Send it in smaller pieces."


@pytest.mark.parametrize(("parameters", "status"), [(";" * 240, 201), (';"' + ";" * 240, 415)])
async def test_takes_only_short_media_types(client: httpx.AsyncClient, parameters: str, status: int) -> None:
    answer = await client.post("/notes", content=note_of(20), headers={"Content-Type": f"application/json{parameters}"})

    assert answer.status_code == status


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/notes/count", 200), ("POST", "/nothing", 404)])
async def test_a_body_that_nobody_reads_is_not_refused(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path, content=note_of(3 * LIMIT))

    assert answer.status_code == status


@pytest.mark.parametrize("size_before_bytes", range(684, 702, 3))
async def test_half_a_character_is_seen_across_chunks(client: httpx.AsyncClient, size_before_bytes: int) -> None:
    body = b'{"text": "'.ljust(size_before_bytes, b"x") + rb'\ud800"}'

    answer = await client.post("/notes", content=chunked(body), headers=JSON)

    assert answer.status_code == 400


async def test_a_character_may_be_cut_by_the_end_of_a_chunk(client: httpx.AsyncClient) -> None:
    body = b'{"text": "' + "ññ".encode() * 400 + b'"}'

    answer = await client.post("/notes", content=chunked(body), headers=JSON)

    assert (answer.status_code, answer.json()["text"]) == (201, "ñ" * 800)


@pytest.mark.parametrize("frame", [b'{"text": "", %b}', b'{"text": "", "tags": {%b}}', b"[{%b}]"], ids=["a", "b", "c"])
async def test_refuses_a_body_of_too_many_fields_before_each_is_a_mistake(
    make_client: ClientMaker, frame: bytes
) -> None:
    client = await make_client(notes_api.build())
    body = frame % b",".join(b'"%06d":0' % number for number in range(80_000))

    tracemalloc.start()
    answer = await client.post("/notes", content=body, headers=JSON)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (answer.status_code, answer.json()["type"]) == (422, "urn:problem-type:invalid-request")
    assert answer.json()["detail"] == "The body holds more than 1000 fields and entries. Send what /docs lists."
    assert peak_bytes < 40 * len(body)


async def test_takes_any_number_of_commas_in_a_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/notes", content=b'{"text": "' + b"," * 1900 + b'"}', headers=JSON)

    assert (answer.status_code, answer.json()["text"]) == (201, "," * 1900)


async def test_what_is_no_json_may_hold_any_bytes(make_client: ClientMaker) -> None:
    app = notes_api.build()

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    app.add_route("/echo", echo, methods=["POST"])
    client = await make_client(app)

    answer = await client.post("/echo", content=b"\xff\\ud800\0", headers={"Content-Type": "text/csv"})

    assert answer.content == b"\xff\\ud800\0"
