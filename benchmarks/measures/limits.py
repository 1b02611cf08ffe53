"""The limits, published without a goal of their own, but for the start: where latency breaks, memory, replicas."""

import threading
import time
from collections.abc import Sequence
from statistics import median
from typing import Final

from benchmarks.harness.processes import Contender
from benchmarks.harness.row import Row, row_of
from benchmarks.harness.testbed import Site
from benchmarks.harness.wrk import Load, load

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
    site.ours(service, f"start{number}")
    return time.monotonic() - began


def _load_by_callers(site: Site) -> list[Row]:
    service = site.ours("orders_service", "callers")
    rest_mib = service.resident_mib()
    url = f"{service.url}/orders"
    load(url, 2, script="order")
    rows = []
    for callers in CALLERS:
        site.empty_queue()
        met = [load(url, _SECONDS, connections=callers, script="order") for _ in range(site.rounds)]
        site.say(f"{callers} callers: p99 {median(one.p99_ms for one in met):.0f} ms")
        rows += [
            row_of(f"orders_{callers}_callers", "orders/s", {"ours": [one.answers / one.seconds for one in met]}, {}),
            row_of(f"orders_{callers}_callers_p99", "ms", {"ours": [one.p99_ms for one in met]}, {}, digits=1),
        ]
    memory = {"ours": [service.resident_mib()], "at rest": [rest_mib]}
    return [*rows, row_of("memory_orders_service", "MiB after load", memory, {})]


def _replicas(site: Site) -> list[Row]:
    services = [site.ours("orders_service", f"replica{number}") for number in range(max(REPLICAS))]
    return [
        row_of(f"orders_{count}_replicas", "orders/s", {"ours": [_together(services[:count])]}, {})
        for count in REPLICAS
    ]


def _together(services: Sequence[Contender]) -> float:
    met: list[Load] = []

    def one(service: Contender) -> None:
        met.append(load(f"{service.url}/orders", _SECONDS, connections=64 // len(services), script="order"))

    threads = [threading.Thread(target=one, args=(service,)) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(one.answers / one.seconds for one in met)
