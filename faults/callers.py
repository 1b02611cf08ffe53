"""The load: callers who post orders, each under a key of its own, and ask again until they have their answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final, Self

import httpx

from faults.clients import AGAIN_SECONDS, PATIENCE_SECONDS, Crowd
from tests.support.system import WISH

_CALLERS: Final = 16


class Callers:
    """Sixteen callers at a common rate; whoever is kept waiting does not make up for it afterwards.

    Args:
        urls: The replicas. Whoever gets no answer asks the next one.
        rate: Orders a second, all callers together; nobody comes at 0.
        random: Decides on the pauses.

    Attributes:
        posts: Requests sent, the repeated ones too.
        accepted: The instant of `time.monotonic` at which an order's id was answered 201, by id.
        unknown: Orders of which a request died without an answer.
        settled: Those of them that were answered 201 in the end.
        refusals: Answers 503.
        odd: All other answers, by status: there should be none.
        seconds: How long each 201 took, with the instant at which it was asked for.
    """

    def __init__(self, urls: Sequence[str], rate: float, random: Random) -> None:
        self._urls = [f"{url}/orders" for url in urls]
        self._rate = rate
        self._random = random
        self._name = random.randbytes(6).hex()
        self.posts = 0
        self.accepted: dict[str, float] = {}
        self.unknown = 0
        self.settled = 0
        self.refusals = 0
        self.odd: Counter[int] = Counter()
        self.seconds: list[tuple[float, float]] = []

    async def __aenter__(self) -> Self:
        self._crowd = Crowd(_CALLERS)
        self._crowd.begin(self._call(number) for number in range(_CALLERS if self._rate else 0))
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        await self._crowd.go_home(at_once=error is not None)

    async def have_placed(self, more: int) -> None:
        """Return once so many more orders were accepted."""
        enough = len(self.accepted) + more
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.accepted) < enough:  # noqa: ASYNC110 - sixteen callers change it
                await asyncio.sleep(0.01)

    def p99_ms(self, since: float = 0.0) -> float:
        """What 99 of 100 answers 201 took at most, of those that were asked for after an instant."""
        seconds = sorted(took for asked_at, took in self.seconds if asked_at > since)
        return 1000 * seconds[len(seconds) * 99 // 100]

    async def _call(self, number: int) -> None:
        count, usual_pause = 0, _CALLERS / self._rate
        await asyncio.sleep(self._random.uniform(0, usual_pause))
        while not self._crowd.going_home.is_set():
            count += 1
            began = time.monotonic()
            await self._place(f"{self._name}-{number}-{count}", number)
            pause = usual_pause * self._random.uniform(0.5, 1.5)
            await asyncio.sleep(max(0.0, began + pause - time.monotonic()))

    async def _place(self, key: str, replica: int) -> None:
        """Ask with one key until there is a 201."""
        was_unknown = False
        while True:
            asked_at = time.monotonic()
            try:
                answer = await self._post(key, replica)
            except httpx.TransportError:
                self.unknown += not was_unknown
                was_unknown = True
            else:
                if answer.status_code == httpx.codes.CREATED:
                    self.settled += was_unknown
                    self._accept(answer.json()["id"], asked_at)
                    return
                self._count_refusal(answer.status_code)
            replica += 1
            await asyncio.sleep(AGAIN_SECONDS * self._random.uniform(0.5, 1.5))

    async def _post(self, key: str, replica: int) -> httpx.Response:
        self.posts += 1
        url = self._urls[replica % len(self._urls)]
        return await self._crowd.client.post(url, json=WISH, headers={"Idempotency-Key": key})

    def _accept(self, order_id: str, asked_at: float) -> None:
        now = time.monotonic()
        self.accepted[order_id] = now
        self.seconds.append((asked_at, now - asked_at))

    def _count_refusal(self, status: int) -> None:
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            self.refusals += 1
        else:
            self.odd[status] += 1
