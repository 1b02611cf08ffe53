"""What a server bears from callers who mean it no good, or cannot do better."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.support.wire import GET, POST, Served, hear, served

MEGABYTE = 1024 * 1024
HEAD = b"GET /notes/7 HTTP/1.1\r\nHost: notes\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
AT_ONCE = {"head_seconds": 0.4, "silence_seconds": 0.4, "discarding_seconds": 1.0}


def limited(folder: Path, **limits: float) -> AbstractContextManager[Served]:
    """A server with limits of its own."""
    return served(folder, "-m", "tests.support.served_with_limits", json.dumps(limits))


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with limited(tmp_path_factory.mktemp("usual")) as server:
        yield server


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with limited(tmp_path_factory.mktemp("impatient"), **AT_ONCE) as server:
        yield server


def problem_in(answer: bytes) -> tuple[int, str]:
    """The status and the code of a problem document, which is all that there is."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"\r\ncontent-type: application/problem+json\r\n" in head
    assert b"\r\nconnection: close" in head.lower()
    document = json.loads(body)
    status = int(head.split(b" ")[1])
    assert (document["status"], document["title"]) == (status, HTTPStatus(status).phrase)
    return status, document["type"].removeprefix("urn:problem-type:")


@pytest.mark.parametrize(
    "request_bytes",
    [
        HEAD + b"X-Long: " + b"x" * 16 * MEGABYTE,
        HEAD + b"X: y\r\n" * (2 * MEGABYTE),
        b"GET /" + b"x" * 16 * MEGABYTE,
        CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * (2 * MEGABYTE),
        CHUNKED + b"2\r\n{}\r\n0\r\nX: " + b"y" * 16 * MEGABYTE,
        CHUNKED + b"2;" + b"x" * 16 * MEGABYTE,
        HEAD + b"X: y\r\n" * 100 + b"\r\n",
        HEAD + b"X-Long: " + b"x" * 33_000 + b"\r\n\r\n",
    ],
    ids=[
        *("an endless header", "endless headers", "an endless path", "endless trailers", "an endless trailer"),
        *("an endless extension of a chunk", "101 headers", "33,000 bytes"),
    ],
)
def test_refuses_heads_that_are_too_large(usual: Served, request_bytes: bytes) -> None:
    usual.answer(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    before = usual.resident_bytes()

    assert problem_in(usual.answer(request_bytes)) == (431, "head-too-large")
    assert usual.resident_bytes() - before < 8 * MEGABYTE


def test_takes_large_heads(usual: Served) -> None:
    with usual.connect() as connection:
        connection.sendall(HEAD + b"X-Long: " + b"x" * 30_000 + b"\r\nX: y" * 90 + b"\r\n\r\n")

        assert hear(connection, b"\r\n\r\n7").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nHost: b\r\n"])
def test_requires_one_host(usual: Served, hosts: bytes) -> None:
    answer = usual.answer(b"GET /notes/7 HTTP/1.1\r\n" + hosts + b"\r\n")

    assert problem_in(answer) == (400, "malformed-request")


def test_requires_no_host_of_http_1_0(usual: Served) -> None:
    assert usual.answer(b"GET /notes/7 HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length : 2\r\n\r\n{}",
        POST + b"Content-Length: +2\r\n\r\n{}",
        POST + b"Content-Length: 2\r\n X: folded\r\n\r\n{}",
        POST + b"X: y\rContent-Length: 2\r\n\r\n{}",
        CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}0\r\n\r\n",
        CHUNKED + b"fffffffffffffffff\r\n{}",
    ],
)
def test_refuses_what_two_parsers_might_read_differently(usual: Served, request_bytes: bytes) -> None:
    assert problem_in(usual.answer(request_bytes + GET)) == (400, "malformed-request")


def test_an_answer_under_way_is_the_last_before_nonsense(usual: Served) -> None:
    answer = usual.answer(GET + b"nonsense\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n7")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_goes_on_in_http_1_1_whatever_a_client_would_upgrade_to(usual: Served) -> None:
    upgrade = HEAD + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"

    answer = usual.answer(upgrade + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    assert answer.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize("sent", [HEAD, b"GET", POST + b"Content-Length: 9\r\n\r\n{", CHUNKED, CHUNKED + b"2\r\n{"])
def test_ends_what_is_half_sent(impatient: Served, sent: bytes) -> None:
    assert problem_in(impatient.answer(sent)) == (408, "request-too-slow")


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_closes_a_silent_connection_without_a_word(impatient: Served, sent: bytes) -> None:
    assert impatient.answer(sent) == b""


def drip(connection: socket.socket, pieces: list[bytes]) -> None:
    """A piece each tenth of a second, until the server has had enough."""
    for piece in pieces:
        connection.sendall(piece)
        time.sleep(0.1)


def test_ends_a_body_of_a_byte_now_and_then(tmp_path: Path) -> None:
    with limited(tmp_path, silence_seconds=0.4, discarding_seconds=5.0) as server, server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 99\r\n\r\n")
        drip(connection, [b"{"] * 10)

        assert problem_in(hear(connection)) == (408, "request-too-slow")


def test_a_slow_body_that_goes_on_is_served(impatient: Served) -> None:
    body = b'{"text": "' + b"x" * 300 + b'"}'
    pieces = [body[start : start + 30] for start in range(0, len(body), 30)]
    with impatient.connect() as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        drip(connection, pieces)

        assert hear(connection, b"}}").startswith(b"HTTP/1.1 201 ")


def test_a_slow_answer_is_waited_for(impatient: Served) -> None:
    with impatient.connect() as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: notes\r\n\r\n")

        assert hear(connection, b'"done"').startswith(b"HTTP/1.1 200 ")


def test_whoever_only_waits_makes_room(tmp_path: Path) -> None:
    with limited(tmp_path, connections=20) as server, ExitStack() as callers:
        for _ in range(20):
            callers.enter_context(server.connect())
        time.sleep(1.1)

        answers = [server.answer(HEAD + b"Connection: close\r\n\r\n") for _ in range(5)]

    assert {answer.partition(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}


def test_refuses_more_callers_than_it_takes(tmp_path: Path) -> None:
    with limited(tmp_path, connections=20) as server, ExitStack() as callers:
        for _ in range(20):
            callers.enter_context(server.connect()).sendall(POST + b"Content-Length: 9\r\n\r\n{")
        answer = server.answer(GET)

    assert problem_in(answer) == (503, "too-many-connections")
    assert b"\r\nRetry-After: 1\r\n" in answer


def test_no_crowd_takes_all_descriptors(tmp_path: Path) -> None:
    with limited(tmp_path, descriptors=256) as server, ExitStack() as callers:
        for _ in range(300):
            callers.enter_context(server.connect())
        answer = server.answer(HEAD + b"Connection: close\r\n\r\n")
        time.sleep(1.1)
        later = server.answer(HEAD + b"Connection: close\r\n\r\n")

    assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))
    assert later.startswith(b"HTTP/1.1 200 ")


def announced(path: bytes, size_bytes: int) -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: notes\r\nContent-Type: application/json\r\nConnection: close\r\n" % path
    return head + b"Content-Length: %d\r\n\r\n" % size_bytes + b"x" * size_bytes


def chunked(path: bytes, size_bytes: int) -> bytes:
    head = announced(path, 0).partition(b"Content-Length")[0] + b"Transfer-Encoding: chunked\r\n\r\n"
    return head + (b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * (size_bytes // 0x10000) + b"0\r\n\r\n"


@pytest.mark.parametrize("body", [announced, chunked])
@pytest.mark.parametrize(("path", "status"), [(b"/notes", 413), (b"/nowhere", 404), (b"/notes/7", 405)])
def test_an_early_answer_arrives_at_who_sends_first(
    usual: Served, body: Callable[[bytes, int], bytes], path: bytes, status: int
) -> None:
    assert problem_in(usual.answer(body(path, 20 * MEGABYTE)))[0] == status


def test_an_early_answer_arrives_at_pythons_own_client(usual: Served) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{usual.port}/notes", data=b"x" * 20 * MEGABYTE)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 - the same

    assert refused.value.status == 413
    assert json.load(refused.value)["type"] == "urn:problem-type:body-too-large"


@pytest.mark.parametrize("endless", [b"x" * MEGABYTE, b""], ids=["bytes without end", "silence"])
def test_reads_on_only_for_a_while(tmp_path: Path, endless: bytes) -> None:
    limits = {"discarded_bytes": 8 * MEGABYTE, "discarding_seconds": 0.4}
    with limited(tmp_path, **limits) as server, server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 9999999999\r\n\r\n")
        assert hear(connection, b"}").startswith(b"HTTP/1.1 413 ")

        with pytest.raises((ConnectionResetError, BrokenPipeError)):  # noqa: PT012 - one of many pieces meets the end
            for _ in range(100):
                connection.sendall(endless or b"x")
                time.sleep(0 if endless else 0.05)
