import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from dev_stack.ports import free_port
from tests.support.running import Running

ROOT = Path(__file__).resolve().parents[2]


class RunningStack(Running):
    """The stand-in stack, and its ports."""

    def __init__(self, process: asyncio.subprocess.Process, ports: dict[str, int]) -> None:
        super().__init__(process)
        self.ports = ports


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
