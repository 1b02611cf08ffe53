import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dev_stack.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


class RunningStack:
    """The stand-in stack as a process, and the lines that it wrote so far."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int]) -> None:
        self.process = process
        self.ports = ports
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """The next line that contains the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            async for line in self.process.stdout:
                self.lines.append(line.decode().rstrip())
                if words in self.lines[-1]:
                    return self.lines[-1]
        raise AssertionError("\n".join([f"never said {words!r}:", *self.lines]))

    async def ends(self) -> int:
        """Its exit status; the rest of its lines is read."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            self.lines += [line.decode().rstrip() async for line in self.process.stdout]
            return await self.process.wait()


StackStarter = Callable[..., Awaitable[RunningStack]]


@pytest.fixture
async def start_stack(tmp_path: Path) -> AsyncIterator[StackStarter]:
    """Starts the stand-in stack on free ports unless told others; what still runs at the end is killed."""
    processes = []

    async def start(**ports: int) -> RunningStack:
        ports = {"MONGODB_PORT": free_port(), "ALPHA_PORT": free_port(), "BETA_PORT": free_port(), **ports}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.dev_stack.stand_in_stack", str(tmp_path)),
            cwd=ROOT,
            env={**os.environ, "MONGODB_URI": "", **{name: str(port) for name, port in ports.items()}},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        processes.append(process)
        return RunningStack(process, ports)

    yield start
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()
