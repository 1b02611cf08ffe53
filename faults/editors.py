"""The load of two copies: editors on both sides, who read a passenger, change one field, and write it back.

Each editor has a field of its own in passengers of their own; one more field is everybody's, on both sides at once.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Self
from uuid import UUID

import httpx

from faults.clients import AGAIN_SECONDS, PATIENCE_SECONDS, Crowd

OWN_FIELDS: Final = ("phone", "first_name")
"""Whose they are: the editor's on the first side, and on the second."""
CONTESTED: Final = "last_name"
_EDITORS: Final = 8


@dataclass
class Editors:
    """Eight passengers, each with an editor on either side.

    Args:
        urls: The two services.
        rate: Edits a second, all editors together.
        random: Decides on the pauses.

    Attributes:
        ids: Of the passengers.
        wanted: What was accepted last of an editor's own field, by passenger and field.
        tried: All that anybody wrote into the field that is everybody's, by passenger.
        puts: Requests to write.
        accepted: Answers 200.
        refused: Answers 503.
        unknown: Edits of which a request died without an answer.
        settled: Those of them that were accepted in the end.
        odd: All other answers, by status: there should be none.
    """

    urls: Sequence[str]
    rate: float
    random: Random
    ids: list[str] = field(default_factory=list)
    wanted: dict[tuple[str, str], str] = field(default_factory=dict)
    tried: dict[str, set[str]] = field(default_factory=dict)
    puts: int = 0
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    settled: int = 0
    odd: Counter[int] = field(default_factory=Counter)

    async def __aenter__(self) -> Self:
        """Register the passengers, wait for their copies, and begin."""
        self._crowd = Crowd(2 * _EDITORS)
        for number in range(_EDITORS):
            self.ids.append(await self._register(number))
        self._crowd.begin(self._edit_for_ever(side, passenger_id) for side in (0, 1) for passenger_id in self.ids)
        return self

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        await self._crowd.go_home(at_once=error is not None)

    async def have_edited(self, more: int) -> None:
        """Return once so many more edits were accepted."""
        enough = self.accepted + more
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.accepted < enough:  # noqa: ASYNC110 - sixteen editors change it
                await asyncio.sleep(0.01)

    async def _register(self, number: int) -> str:
        passenger_id = str(UUID(int=(0x019A8F3E7C007 << 76) | (0b10 << 62) | self.random.getrandbits(62)))
        new_passenger = {
            "id": passenger_id,
            "document_type": "passport",
            "document_number": f"P{number:06}",
            "first_name": "Ana",
            "last_name": "Peña",
            "birth_date": "1990-05-17",
            "nationality": "ES",
        }
        answer = await self._crowd.client.post(f"{self.urls[0]}/passengers", json=new_passenger)
        answer.raise_for_status()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self._crowd.client.get(f"{self.urls[1]}/passengers/{passenger_id}")).is_error:  # noqa: ASYNC110
                await asyncio.sleep(AGAIN_SECONDS)
        return passenger_id

    async def _edit_for_ever(self, side: int, passenger_id: str) -> None:
        count = 0
        while not self._crowd.going_home.is_set():
            count += 1
            await asyncio.sleep(2 * _EDITORS / self.rate * self.random.uniform(0.5, 1.5))
            own = OWN_FIELDS[side]
            value = f"+346{count:08}" if own == "phone" else f"Ana {_letters(count)}"
            contested = f"Peña {'AB'[side]}{_letters(count)}"
            self.tried.setdefault(passenger_id, {"Peña"}).add(contested)
            await self._edit(self.urls[side], passenger_id, {own: value, CONTESTED: contested})
            self.wanted[passenger_id, own] = value

    async def _edit(self, url: str, passenger_id: str, change: dict[str, str]) -> None:
        """Read, change, write with `If-Match`, until it was accepted."""
        was_unknown = False
        while True:
            try:
                answer = await self._read_and_write(f"{url}/passengers/{passenger_id}", change)
            except httpx.TransportError:
                self.unknown += not was_unknown
                was_unknown = True
            else:
                if answer.is_success:
                    self.accepted += 1
                    self.settled += was_unknown
                    return
                self._count(answer.status_code)
            await asyncio.sleep(AGAIN_SECONDS * self.random.uniform(0.5, 1.5))

    async def _read_and_write(self, url: str, change: dict[str, str]) -> httpx.Response:
        read = await self._crowd.client.get(url)
        if read.is_error:
            return read
        passenger: dict[str, Any] = read.json()
        edit = {name: passenger[name] for name in passenger if name not in {"id", "created_at", "updated_at"}}
        self.puts += 1
        return await self._crowd.client.put(url, json=edit | change, headers={"If-Match": read.headers["ETag"]})

    def _count(self, status: int) -> None:
        if status == httpx.codes.SERVICE_UNAVAILABLE:
            self.refused += 1
        elif status != httpx.codes.PRECONDITION_FAILED:  # somebody was faster
            self.odd[status] += 1


def _letters(number: int) -> str:
    """A name has no digits."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
