"""Many outputs on one terminal: whole lines, each with the name of who wrote it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TextIO

import typer

STACK: Final = "make up"
"""Name before our own lines."""

_COLOURS: Final = ("cyan", "yellow", "green", "magenta", "blue", "bright_cyan", "bright_yellow", "bright_green")
_CHUNK_BYTES: Final = 65_536
_LINE_BYTES: Final = 262_144


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """The lines of an output, whatever it contains.

    Bytes that are no UTF-8 become replacement characters, and a line over 256 KiB comes in pieces: asyncio's own
    `readline` raises there.
    """
    rest = b""
    while chunk := await stream.read(_CHUNK_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield _text(line)
        if len(rest) > _LINE_BYTES:
            yield _text(rest)
            rest = b""
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line.decode(errors="replace").rstrip("\r")


class Output:
    """Writes lines with a prefix each, coloured on a terminal.

    Args:
        names: Everybody who will write, so that the prefixes are equally wide.
        stream: Where to.
        on_lost: Called once when nobody reads the stream any more (`make up | head`).
    """

    def __init__(self, names: Iterable[str], *, stream: TextIO, on_lost: Callable[[], None]) -> None:
        everybody = [STACK, *names]
        self._stream: TextIO | None = stream
        self._on_lost = on_lost
        self._width = max(map(len, everybody))
        coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._colours = dict(zip(everybody[1:], _COLOURS * len(everybody), strict=False)) if coloured else {}

    def say(self, name: str, line: str) -> None:
        """Write one line of somebody's."""
        prefix = f"{name:<{self._width}} |"
        if colour := self._colours.get(name):
            prefix = typer.style(prefix, fg=colour)
        self.write(f"{prefix} {line}\n")

    def write(self, text: str) -> None:
        """Write as it is, in one piece."""
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._stream = None
            self._on_lost()
