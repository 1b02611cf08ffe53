import asyncio
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest

from service_kit.runtime.serve import listening_socket
from tests.service_kit.conftest import PythonRunner
from tests.support.running import Running
from tests.support.wire import GET, POST, hear, port_in, served

Server = Callable[..., Awaitable[tuple[Running, int]]]

SERVE_NOTES = ("-m", "service_kit.runtime.serve", "tests.support.served_notes:app")


@pytest.fixture
def serve(run_python: PythonRunner) -> Server:
    """Starts the notes API as a process, on a port that the system chooses; answers it with its port."""

    async def start(**settings: str) -> tuple[Running, int]:
        server = await run_python(*SERVE_NOTES, **{"PORT": "0", **settings})
        return server, port_in(await server.says("listening"))

    return start


def accepts_connections(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", {"127.0.0.1"}), ("*", {"127.0.0.1", "::1"}), ("::1", {"::1"}), ("localhost", {"127.0.0.1"})],
)
def test_listens_where_it_was_told_and_nowhere_else(host: str, reached: set[str]) -> None:
    with listening_socket(host, 0) as bound:
        port = bound.getsockname()[1]

        assert {host for host in ("127.0.0.1", "::1") if accepts_connections(host, port)} == reached


def test_a_port_that_is_taken_gets_a_sentence() -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as refused:
            listening_socket("127.0.0.1", port)

    assert refused.value.code == (
        f"Cannot listen on port {port} of 127.0.0.1: Address already in use. Set PORT (and HOST) to a free one."
    )


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192.0.2.1", "Cannot assign requested address"), ("nowhere.invalid", "Name or service not known")],
)
def test_an_address_that_is_not_ours_gets_a_sentence(host: str, reason: str) -> None:
    with pytest.raises(SystemExit, match=rf"^Cannot listen on port 80 of {re.escape(host)}: {reason}\."):
        listening_socket(host, 80)


async def test_serves_on_this_machine_alone_until_it_is_told_otherwise(serve: Server) -> None:
    server, port = await serve()

    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{port}/notes/7")

    assert answer.json() == 7
    assert "host=127.0.0.1" in server.lines[-1]
    assert not accepts_connections("::1", port)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
async def test_finishes_the_running_request_and_ends_with_status_0(serve: Server, sent: signal.Signals) -> None:
    server, port = await serve()
    async with httpx.AsyncClient() as client:
        answering = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
        await server.says("begun")

        server.process.send_signal(sent)

        assert (await answering).json() == "done"
    assert await server.ends() == 0
    assert "GET /slow 200" in server.lines[-1]


async def test_starts_on_no_port_that_is_taken(serve: Server, run_python: PythonRunner) -> None:
    _, port = await serve()
    second = await run_python(*SERVE_NOTES, PORT=str(port))

    assert await second.ends() == 1
    assert second.lines == [
        f"Cannot listen on port {port} of 127.0.0.1: Address already in use. Set PORT (and HOST) to a free one."
    ]


@pytest.mark.parametrize(
    ("app", "settings", "status", "sentence"),
    [
        (
            "tests.support.served_notes:app",
            {"PORT": "http"},
            2,
            "Cannot start: PORT: Input should be a valid integer",
        ),
        ("tests.service_kit.nothing:app", {}, 1, 'Cannot start: Could not import module "tests.service_kit.nothing".'),
        ("tests.support.served_notes:nothing", {}, 1, 'Cannot start: Attribute "nothing" not found in module'),
    ],
    ids=["a port in letters", "no such module", "no such app"],
)
async def test_a_wrong_start_gets_a_sentence(
    run_python: PythonRunner, app: str, settings: dict[str, str], status: int, sentence: str
) -> None:
    server = await run_python("-m", "service_kit.runtime.serve", app, **settings)

    assert await server.ends() == status
    (line,) = server.lines
    assert line.startswith(sentence)


TEN_MEGABYTES = 10 * 1024 * 1024


@pytest.fixture(scope="module")
def shared_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of one server for all requests that are written byte by byte."""
    with served(tmp_path_factory.mktemp("served"), *SERVE_NOTES) as server:
        yield server.port


async def test_refuses_ten_megabytes_readably(shared_port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{shared_port}") as client:
        answer = await client.post("/notes", content=b"x" * TEN_MEGABYTES)
        next_answer = await client.get("/notes/7")

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:problem-type:body-too-large")
    assert next_answer.status_code == 200


def test_the_connection_goes_on_after_a_head(shared_port: int) -> None:
    with socket.create_connection(("127.0.0.1", shared_port), timeout=10) as connection:
        connection.sendall(GET.replace(b"GET", b"HEAD"))
        head = hear(connection, b"\r\n\r\n")
        connection.sendall(GET)
        answer = hear(connection, b"\r\n\r\n7")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert head.endswith(b"\r\n\r\n")
    assert b"\r\ncontent-length: 1\r\n" in head
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_refuses_before_a_careful_client_sends_the_body(shared_port: int) -> None:
    with socket.create_connection(("127.0.0.1", shared_port), timeout=10) as connection:
        connection.sendall(POST + b"Content-Length: 10485760\r\nExpect: 100-continue\r\n\r\n")

        assert hear(connection, b"}").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"no HTTP at all\r\n\r\n",
        POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
    ],
    ids=["no HTTP", "an endless length", "a raw byte in the path"],
)
def test_answers_nonsense_with_a_4xx(shared_port: int, nonsense: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared_port), timeout=10) as connection:
        connection.sendall(nonsense)

        assert hear(connection, b"\r\n\r\n").startswith(b"HTTP/1.1 4")


async def test_a_client_that_hangs_up_has_its_line(serve: Server) -> None:
    server, port = await serve()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(POST + b"Content-Length: 100\r\n\r\n" + b'{"text": "cut')

    assert "POST /notes 499 " in await server.says("POST /notes")
