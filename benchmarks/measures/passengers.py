"""passengers_service: loading and listing 7,000, a page among a million, and a million loaded."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from itertools import count
from statistics import quantiles
from typing import Any, Final

import asyncpg

from benchmarks.harness.processes import Contender
from benchmarks.harness.row import Row, alternate, row_of
from benchmarks.harness.testbed import Site
from benchmarks.harness.wrk import load

COUNT: Final = 7_000
_MILLION: Final = 1_000_000
_REQUEST_ROWS: Final = 100_000
_REPEATS: Final = 10
_LIST_REPEATS: Final = 20
_SECONDS: Final = 4
_CALLERS: Final = 2
_LIMIT_MS: Final = 400
_TIMEOUT_SECONDS: Final = 300
_WIDEST: Final = 10_000

_numbers: Final = count()


def measure(site: Site) -> Sequence[Row]:
    """Milliseconds of a request, 95th percentile; milliseconds a page; rows a second and MiB."""
    ours = site.ours("passengers_service", "passengers")
    return [*_seven_thousand(site, ours), *_a_million(site, ours)]


def _seven_thousand(site: Site, ours: Contender) -> list[Row]:
    contenders = {"ours": ours, "ORM": _peer(site), "floor": _floor(site)}
    loads = alternate({who: _load_ms(one) for who, one in contenders.items()}, site.rounds, site.say)
    for who in contenders:
        asyncio.run(_keep_only_the_first(site, "passengers" if who == "ours" else f"passengers_{who.lower()}"))
    lists = alternate({who: _list_ms(one) for who, one in contenders.items()}, site.rounds, site.say)
    return [
        row_of("load_7000", "ms, p95", loads, {"ours": _LIMIT_MS, "floor": 2.5, "ORM": 0.33}, more_is_better=False),
        row_of(
            "list_7000", "ms, p95", lists, {"ours": _LIMIT_MS, "floor": 1.5, "ORM": 0.2}, more_is_better=False, digits=1
        ),
    ]


def _peer(site: Site) -> Contender:
    asyncio.run(_make_database(site, "passengers_orm"))
    return site.python("benchmarks.peers.fastapi_orm", "passengers_orm")


def _floor(site: Site) -> Contender:
    asyncio.run(_make_database(site, "passengers_floor"))
    return site.python("service_kit.runtime.serve", "passengers_floor", "benchmarks.floors.passengers:app")


async def _make_database(site: Site, name: str) -> None:
    connection = await asyncpg.connect(site.postgres.url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()


async def _keep_only_the_first(site: Site, database: str) -> None:
    """Leave 7,000, and tidy up as PostgreSQL would by itself in time."""
    connection = await asyncpg.connect(site.postgres.url, database=database)
    await connection.execute(f"DELETE FROM passengers WHERE id NOT IN (SELECT id FROM passengers LIMIT {COUNT})")  # noqa: S608 - a constant
    await connection.execute("VACUUM ANALYZE passengers")
    await connection.close()


def passengers(number: int) -> Iterator[dict[str, Any]]:
    """So many that nobody has sent before."""
    for _ in range(number):
        serial = next(_numbers)
        yield {
            "document_type": "passport",
            "document_number": f"P{serial:09}",
            "first_name": "Ana María",
            "last_name": f"Peña {chr(65 + serial % 26)}ruiz",
            "email": f"ana{serial}@example.com",
            "phone": f"+346{serial % 10**8:08}",
            "birth_date": f"19{50 + serial % 50}-0{1 + serial % 9}-1{serial % 10}",
            "nationality": "ES",
        }


def _load_ms(contender: Contender) -> Callable[[], float]:
    """The 95th percentile of some loads, each of 7,000 new ones."""

    def measure_once() -> float:
        bodies = [json.dumps(list(passengers(COUNT))).encode() for _ in range(_REPEATS)]
        return _p95([_request_ms(contender, "POST", "/passengers/bulk", body) for body in bodies])

    return measure_once


def _list_ms(contender: Contender) -> Callable[[], float]:
    path = f"/passengers?limit={_WIDEST}"
    return lambda: _p95([_request_ms(contender, "GET", path) for _ in range(_LIST_REPEATS)])


def _p95(samples: Sequence[float]) -> float:
    return quantiles(samples, n=20, method="inclusive")[18]


def _request_ms(
    contender: Contender, method: str, path: str, body: bytes = b"", kind: str = "application/json"
) -> float:
    connection = HTTPConnection("127.0.0.1", contender.port, timeout=_TIMEOUT_SECONDS)
    connection.connect()
    began = time.monotonic()
    connection.request(method, path, body, {"Content-Type": kind} if body else {})
    answer = connection.getresponse()
    answered = answer.read()
    took_ms = (time.monotonic() - began) * 1000
    connection.close()
    if answer.status >= 300:  # noqa: PLR2004 - HTTP
        raise RuntimeError(f"{path} was answered {answer.status}: {answered[:300]!r}; {contender.log} says why.")
    return took_ms


def _a_million(site: Site, few: Contender) -> list[Row]:
    many = site.ours("passengers_service", "passengers_many")
    rest_mib, began, peak_mib = many.resident_mib(), time.monotonic(), 0.0
    for _ in range(_MILLION // _REQUEST_ROWS):
        body = b"".join(json.dumps(row).encode() + b"\n" for row in passengers(_REQUEST_ROWS))
        took_ms = _request_ms(many, "POST", "/passengers/bulk", body, "application/x-ndjson")
        peak_mib = max(peak_mib, many.resident_mib())
        site.say(f"{_REQUEST_ROWS} rows in {took_ms / 1000:.1f} s, {many.resident_mib():.0f} MiB")
    rate = _MILLION / (time.monotonic() - began)
    pages: dict[str, Callable[[], float]] = {"ours": _page_ms(many), "among 7,000": _page_ms(few)}
    return [
        row_of("load_million", "rows/s", {"ours": [rate]}, {}),
        row_of(
            "load_million_memory",
            "MiB above rest",
            {"ours": [peak_mib - rest_mib]},
            {"ours": 150},
            more_is_better=False,
        ),
        row_of(
            "page_of_passengers",
            "ms a page",
            alternate(pages, site.rounds, site.say),
            {"among 7,000": 1.5},
            more_is_better=False,
            digits=2,
        ),
    ]


def _page_ms(contender: Contender) -> Callable[[], float]:
    url = f"{contender.url}/passengers?limit=100"
    return lambda: load(url, _SECONDS, connections=_CALLERS).p50_ms / _CALLERS
