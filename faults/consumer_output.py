"""What the consumers have told: their lines, read while they are printed."""

import asyncio
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

from tests.support.system import announced

_RESOLUTION_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Line:
    """The line of an order.

    Attributes:
        at: The instant of `time.monotonic` at which it was read, some 10 ms after it was printed.
        consumer: Which of the replicas has printed it.
        life: Which of its lives, from 1: every start begins a new one.
    """

    at: float
    consumer: int
    life: int


class Tail:
    """Follows a log over the starts of its process, each of which moves the file away and begins a new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log: BinaryIO | None = None
        self._rest = b""
        self.life = 0

    def new_lines(self) -> Iterator[str]:
        """What was printed since the last call; what a killed process had only begun to write is no line."""
        is_over = self._is_replaced()  # asked first: what is written until then is read below
        yield from self._unread()
        if is_over:
            self._open()
            yield from self._unread()

    def _is_replaced(self) -> bool:
        with suppress(FileNotFoundError):
            return self._log is None or self._path.stat().st_ino != os.fstat(self._log.fileno()).st_ino
        return False

    def _unread(self) -> list[str]:
        if self._log is None:
            return []
        *lines, self._rest = (self._rest + self._log.read()).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _open(self) -> None:
        self.close()
        self._log = self._path.open("rb")
        self._rest = b""
        self.life += 1

    def close(self) -> None:
        if self._log:
            self._log.close()


class Told:
    """Listens to all consumers while the block runs.

    Attributes:
        lines: The lines of each order, by its id, in the order in which they were read.
        last_at: When the last one was read.
    """

    def __init__(self, logs: Sequence[Path]) -> None:
        self._tails = [Tail(log) for log in logs]
        self._killed: set[tuple[int, int]] = set()
        self.lines: defaultdict[str, list[Line]] = defaultdict(list)
        self.last_at = time.monotonic()

    async def __aenter__(self) -> Self:
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._read()
        for tail in self._tails:
            tail.close()

    def note_kill(self, consumer: int) -> None:
        """Remember that a life ended by SIGKILL, and with it the memory of what it had told."""
        self._read()
        self._killed.add((consumer, self._tails[consumer].life))

    def is_excused(self, order_id: str) -> bool:
        """Whether every repetition of an order's line follows one whose consumer was killed."""
        return all(map(self._was_killed, self.lines[order_id][:-1]))

    def most_repeated_after_a_kill(self) -> int:
        """Of the lives that ended by SIGKILL, the one of whose lines most were told again: how many."""
        told_again = Counter(
            (line.consumer, line.life) for told in self.lines.values() for line in told[:-1] if self._was_killed(line)
        )
        return max(told_again.values(), default=0)

    def _was_killed(self, line: Line) -> bool:
        return (line.consumer, line.life) in self._killed

    async def more(self) -> None:
        """Return once another line is read, or when it does not come."""
        last_at = self.last_at
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while self.last_at == last_at:  # noqa: ASYNC110 - a file sets no event
                    await asyncio.sleep(_RESOLUTION_SECONDS)

    async def _listen(self) -> None:
        while True:
            self._read()
            await asyncio.sleep(_RESOLUTION_SECONDS)

    def _read(self) -> None:
        now = time.monotonic()
        for consumer, tail in enumerate(self._tails):
            for line in tail.new_lines():
                if order_id := announced(line):
                    self.lines[order_id].append(Line(now, consumer, tail.life))
                    self.last_at = now
