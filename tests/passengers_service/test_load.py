"""The command against a server that answers what the test says."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from passengers_service import load
from tests.passengers_service.bulk_rows import as_csv, as_ndjson, row_of

Answer = tuple[int, dict[str, Any]]


def stored(received: int, *rejected: tuple[int, str | None, str]) -> Answer:
    mistakes = [{"row": row, "field": field, "reason": reason} for row, field, reason in rejected]
    created = received - len(mistakes)
    counts = {"received": received, "created": created, "updated": 0, "unchanged": 0}
    return 200, counts | {"rejected_count": len(mistakes), "rejected": mistakes}


class Server(ThreadingHTTPServer):
    """Gives its answers in turn, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.server.bodies.append(body)
        self.server.headers.append(dict(self.headers))
        status, document = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Run = Callable[..., Result]


@pytest.fixture
def run(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command on a file of these bytes."""
    monkeypatch.setattr("passengers_service.load.time.sleep", lambda _: None)
    app = typer.Typer()
    app.command()(load.main)

    def run_on(body: bytes, *options: str, name: str = "passengers.ndjson", **environment: str) -> Result:
        file = tmp_path / name
        file.write_bytes(body)
        url = f"http://127.0.0.1:{server.server_port}"
        return CliRunner().invoke(app, [str(file), "--url", url, *options], env=environment)

    return run_on


def test_sends_a_file_in_requests_of_so_many_rows(server: Server, run: Run) -> None:
    server.answers = [stored(3), stored(2)]

    done = run(as_csv([row_of(number) for number in range(5)]), "--rows", "3", name="passengers.CSV")

    assert (done.exit_code, [body.count(b"\r\n") for body in server.bodies]) == (0, [4, 3])
    assert "5 received, 5 created, 0 updated, 0 unchanged, 0 rejected" in done.stdout
    assert server.headers[0]["Content-Type"] == "text/csv; charset=utf-8"
    assert server.headers[0]["Prefer"] == "handling=strict"


def test_sends_the_first_of_the_keys(server: Server, run: Run) -> None:
    server.answers = [stored(1)]

    run(as_ndjson([row_of(1)]), "--lenient", API_KEY="new,old")

    assert (server.headers[0]["X-API-Key"], server.headers[0]["Prefer"]) == ("new", "handling=lenient")


def test_tries_again_while_the_service_is_away(server: Server, run: Run) -> None:
    body = as_ndjson([row_of(1)])
    server.answers = [(503, {}), (503, {}), stored(1)]

    done = run(body)

    assert (done.exit_code, server.bodies) == (0, [body] * 3)


def test_gives_up_after_some_tries(server: Server, run: Run) -> None:
    server.answers = [(503, {})] * 99

    done = run(as_ndjson([row_of(1)]))

    assert (done.exit_code, len(server.bodies)) == (1, 6)
    assert "does not answer: 503 Service Unavailable" in done.stdout


def test_tells_the_rows_of_the_file_that_were_rejected(server: Server, run: Run) -> None:
    server.answers = [stored(3), stored(2, (2, "phone", "Write + first"), (2, None, "Odd"))]

    done = run(as_ndjson([row_of(number) for number in range(5)]), "--rows", "3", "--lenient")

    assert done.exit_code == 1
    assert "Row 5: phone: Write + first.\nRow 5: Odd.\n" in done.stdout


def test_ends_at_a_refusal_and_says_what_is_stored(server: Server, run: Run) -> None:
    problem = {"detail": "1 of 2 rows were rejected.", "rejected": stored(2, (2, "email", "No address"))[1]["rejected"]}
    server.answers = [stored(2), (422, problem), stored(2)]

    done = run(as_ndjson([row_of(number) for number in range(5)]), "--rows", "2")

    assert (done.exit_code, len(server.bodies)) == (1, 2)
    assert "Row 4: email: No address.\n1 of 2 rows were rejected.\nWhat came before is stored, 2 rows" in done.stdout


def test_says_what_is_no_problem_document_too(server: Server, run: Run) -> None:
    server.answers = [(404, {})]

    assert "404 Not Found" in run(as_ndjson([row_of(1)])).stdout


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("passengers.txt", b"x", "Say by --format"),
        ("passengers.csv", b"", "The file has no rows."),
        ("passengers.json", b"[", "is not one JSON array"),
    ],
)
def test_a_file_that_cannot_be_sent_is_told(run: Run, name: str, body: bytes, sentence: str) -> None:
    done = run(body, name=name)

    assert done.exit_code == 1
    assert sentence in done.output


def test_a_service_that_is_not_there_is_told(run: Run) -> None:
    done = run(as_ndjson([row_of(1)]), "--url", "http://127.0.0.1:1")

    assert done.exit_code == 1
    assert "http://127.0.0.1:1 does not answer" in done.stdout
