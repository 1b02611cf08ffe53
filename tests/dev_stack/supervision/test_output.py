import asyncio
import io

import pytest

from dev_stack.supervision.output import Output, lines_of


async def _lines(*chunks: bytes) -> list[str]:
    stream = asyncio.StreamReader()
    for chunk in chunks:
        stream.feed_data(chunk)
    stream.feed_eof()
    return [line async for line in lines_of(stream)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"no end", ["no end"]),
        (b"windows\r\n", ["windows"]),
        (b"\n\n", ["", ""]),
        (b"\xff is no UTF-8\n", ["� is no UTF-8"]),
        ("mañana 🎉\n".encode(), ["mañana 🎉"]),
    ],
)
async def test_reads_lines_of_any_bytes(written: bytes, read: list[str]) -> None:
    assert await _lines(written) == read


async def test_a_line_longer_than_the_limit_comes_in_pieces() -> None:
    pieces = await _lines(b"x" * 1_000_000, b"\nnext\n")
    assert "".join(pieces[:-1]) == "x" * 1_000_000
    assert pieces[-1] == "next"


def test_every_line_bears_the_name_of_who_wrote_it() -> None:
    stream = io.StringIO()
    output = Output(["user_service", "api"], stream=stream, on_lost=lambda: None)
    output.say("user_service", "first")
    output.say("api", "second")
    assert stream.getvalue() == "user_service | first\napi          | second\n"


def test_names_are_coloured_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    Output(["api"], stream=terminal, on_lost=lambda: None).say("api", "text")
    assert terminal.getvalue() == "\x1b[36mapi     |\x1b[0m text\n"


class _BrokenPipe(io.StringIO):
    def write(self, _: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_is_gone_is_reported_once() -> None:
    losses: list[str] = []
    output = Output([], stream=_BrokenPipe(), on_lost=lambda: losses.append("lost"))
    output.say("make up", "one")
    output.say("make up", "two")
    assert losses == ["lost"]
