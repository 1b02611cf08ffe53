"""The limits, published without a goal of their own, but for the start: where latency breaks, memory, replicas."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Final

from benchmarks.harness.processes import Contender
from benchmarks.harness.published import place
from benchmarks.harness.row import Row, row_of
from benchmarks.harness.testbed import Documents, Site
from benchmarks.harness.wrk import CONNECTIONS

_SECONDS: Final = 5
CALLERS: Final = (1, 4, 16, 64, 128, 256)
SERVICES: Final = ("user_service", "orders_service", "notifications_service")
REPLICAS: Final = (1, 2, 3)


def measure(site: Site) -> Sequence[Row]:
    """Start-up, memory, load by callers, replicas."""
    return [*_starts(site), *_load_by_callers(site), *_replicas(site)]


def _starts(site: Site) -> list[Row]:
    return [
        row_of(
            f"start_{service}",
            "s until ready",
            {"ours": [_start_seconds(site, service, number) for number in range(site.rounds)]},
            {"ours": 1.5},
            more_is_better=False,
            digits=2,
        )
        for service in SERVICES
    ]


def _start_seconds(site: Site, service: str, number: int) -> float:
    began = time.monotonic()
    site.ours(service, f"{service}_start{number}")
    return time.monotonic() - began


def _load_by_callers(site: Site) -> list[Row]:
    service, orders = site.ours("orders_service", "callers"), site.collection("callers")
    rest_mib = service.resident_mib()
    place(service, orders, seconds=2)
    rows = []
    for callers in CALLERS:
        site.empty_queue()
        rates, met = zip(
            *(place(service, orders, seconds=_SECONDS, connections=callers) for _ in range(site.rounds)), strict=True
        )
        site.say(f"{callers} callers: p99 {median(one.p99_ms for one in met):.0f} ms")
        rows += [
            row_of(f"orders_{callers}_callers", "orders/s", {"ours": list(rates)}, {}),
            row_of(f"orders_{callers}_callers_p99", "ms", {"ours": [one.p99_ms for one in met]}, {}, digits=1),
        ]
    memory = {"ours": [service.resident_mib()], "at rest": [rest_mib]}
    return [*rows, row_of("memory_orders_service", "MiB after load", memory, {})]


def _replicas(site: Site) -> list[Row]:
    names = [f"replica{number}" for number in range(max(REPLICAS))]
    replicas = [(site.ours("orders_service", name), site.collection(name)) for name in names]
    return [
        row_of(f"orders_{count}_replicas", "orders/s", {"ours": [_together(replicas[:count])]}, {})
        for count in REPLICAS
    ]


def _together(replicas: Sequence[tuple[Contender, Documents]]) -> float:
    """Of so many services at once, each with a share of the callers and a database of its own."""

    def rate_of(replica: tuple[Contender, Documents]) -> float:
        rate, _ = place(*replica, seconds=_SECONDS, connections=CONNECTIONS // len(replicas))
        return rate

    with ThreadPoolExecutor(len(replicas)) as pool:
        return sum(pool.map(rate_of, replicas))
