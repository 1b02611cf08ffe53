"""A process that a test has started, and what it says."""

import asyncio


class Running:
    """A process, and the lines that it wrote so far, on both streams."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, words: str) -> str:
        """The next line that contains `words`."""
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
