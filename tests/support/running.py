"""A process that a test has started, and what it says."""

import asyncio

_PATIENCE_SECONDS = 60.0
"""On a machine that does much else, Python alone may need twenty to start."""


class Running:
    """A process, and the lines that it wrote so far, on both streams."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """The next line that contains `words`."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_PATIENCE_SECONDS):
            async for line in self.process.stdout:
                self.lines.append(line.decode().rstrip())
                if words in self.lines[-1]:
                    return self.lines[-1]
        raise AssertionError("\n".join([f"never said {words!r}:", *self.lines]))

    async def ends(self) -> int:
        """Its exit status; the rest of its lines is read."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_PATIENCE_SECONDS):
            self.lines += [line.decode().rstrip() async for line in self.process.stdout]
            return await self.process.wait()
