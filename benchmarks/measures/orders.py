"""`POST /orders`: accepted, journalled and published, with 64 callers.

Ours has answered before it publishes: so its time runs on until the last event has left the outbox.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.harness.processes import ROOT, Contender
from benchmarks.harness.published import place, require_clean
from benchmarks.harness.row import Row, alternate, row_of
from benchmarks.harness.testbed import Documents, Site
from benchmarks.harness.wrk import load

_SECONDS: Final = 4
_TIMES: Final = 2
"""More and shorter rounds than the other rows: of a ratio of two near equals the median needs them."""
_FASTIFY: Final = ROOT / "benchmarks" / "peers" / "fastify"
_GOAL: Final = {"FastAPI + Beanie": 3.0, "Fastify": 1.3, "floor": 0.4}


def measure(site: Site) -> Sequence[Row]:
    """Orders a second."""
    _install_fastify()
    contenders: dict[str, Callable[[], float]] = {
        "ours": _until_published(site, site.ours("orders_service"), site.collection("ours")),
        "Fastify": _rate(site, site.node(_FASTIFY / "server.js", "fastify")),
        "FastAPI + Beanie": _rate(site, site.python("benchmarks.peers.fastapi_inline", "fastapi")),
        "floor": _rate(site, site.python("service_kit.runtime.serve", "floor", "benchmarks.floors.orders:app")),
        "FastAPI + Beanie, usual durability": _rate(
            site, site.python("benchmarks.peers.fastapi_inline", "fastapi_usual", DURABILITY="usual")
        ),
        "Fastify, usual durability": _rate(
            site, site.node(_FASTIFY / "server.js", "fastify_usual", DURABILITY="usual")
        ),
    }
    return [row_of("orders", "orders/s", alternate(contenders, _TIMES * site.rounds, site.say), _GOAL)]


def _install_fastify() -> None:
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("The benchmark `orders` needs Node 20.19 or newer with npm: put both on the PATH.")
    subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=_FASTIFY, check=True)  # noqa: S603 - our own


def _rate(site: Site, process: Contender) -> Callable[[], float]:
    def measure_once() -> float:
        site.empty_queue()
        met = load(f"{process.url}/orders", _SECONDS, script="order")
        require_clean(met.errors, process)
        return met.answers / met.seconds

    return measure_once


def _until_published(site: Site, process: Contender, orders: Documents) -> Callable[[], float]:
    def measure_once() -> float:
        site.empty_queue()
        rate, _ = place(process, orders, seconds=_SECONDS)
        return rate

    return measure_once
