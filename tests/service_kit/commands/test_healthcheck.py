import asyncio
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NoReturn

import pytest

from dev_stack.ports import free_port
from service_kit.commands import healthcheck as probe
from tests.service_kit.conftest import PythonRunner


class Service(HTTPServer):
    """Answers `/health/ready` with `status`, anything else with 404."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ServiceRequest)
        self.status = 200

    @property
    def port(self) -> str:
        return str(self.server_address[1])


class ServiceRequest(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        self.send_response(self.server.status if self.path == "/health/ready" else 404)
        self.end_headers()
        self.wfile.write(b'{"status":"as asked"}')

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service on the port that `PORT` names."""
    with Service() as server:
        monkeypatch.setenv("PORT", server.port)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_ends_well_when_the_service_is_ready(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.status = 200
    probe.main()
    assert capsys.readouterr().out == '{"status":"as asked"}\n'


@pytest.mark.parametrize("status", [500, 503, 404])
def test_fails_with_the_services_own_words_when_it_is_not_ready(service: Service, status: int) -> None:
    service.status = status
    with pytest.raises(SystemExit) as ended:
        probe.main()
    assert ended.value.code == '{"status":"as asked"}'


def test_fails_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    with pytest.raises(SystemExit, match=f"^No answer from http://127.0.0.1:{port}/health/ready: .*refused"):
        probe.main()


async def test_fails_in_one_line_when_something_else_listens(run_python: PythonRunner) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        process = await run_python(
            "-m", "service_kit.commands.healthcheck", PORT=str(server.sockets[0].getsockname()[1])
        )
        assert await process.ends() == 1
    assert len(process.lines) == 1


def test_fails_when_the_answer_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as deaf:  # accepts, and is never asked to serve
        monkeypatch.setenv("PORT", str(deaf.server_address[1]))
        with pytest.raises(SystemExit, match=r"^No answer from .*timed out"):
            probe.main(answer_seconds=0.05)


@pytest.mark.parametrize(
    "named",
    [None, "", " "],
)
def test_asks_port_8000_when_none_is_named(monkeypatch: pytest.MonkeyPatch, named: str | None) -> None:
    def nobody(_opener: urllib.request.OpenerDirector, _url: str, *, timeout: float) -> NoReturn:
        raise TimeoutError(timeout)

    monkeypatch.delenv("PORT", raising=False)
    if named is not None:
        monkeypatch.setenv("PORT", named)
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", nobody)
    with pytest.raises(SystemExit, match=r"^No answer from http://127\.0\.0\.1:8000/health/ready: "):
        probe.main()


@pytest.mark.parametrize(("status", "exit_status"), [(200, 0), (503, 1)])
async def test_tells_docker_by_its_exit_status(
    run_python: PythonRunner, service: Service, status: int, exit_status: int
) -> None:
    service.status = status
    process = await run_python("-m", "service_kit.commands.healthcheck", PORT=service.port)
    assert await process.ends() == exit_status
    assert process.lines == ['{"status":"as asked"}']


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
async def test_asks_the_service_itself_whatever_proxy_is_set(
    run_python: PythonRunner, service: Service, name: str
) -> None:
    service.status = 200
    proxy = f"http://127.0.0.1:{free_port()}"
    process = await run_python("-m", "service_kit.commands.healthcheck", PORT=service.port, **{name: proxy})
    assert await process.ends() == 0
