"""From an order's 201 to its printed line, while the service takes half of what it can."""

import json
import threading
import time
from collections.abc import Sequence
from statistics import quantiles
from typing import Final, Self
from urllib.request import Request, urlopen

from benchmarks.harness.processes import Contender
from benchmarks.harness.row import Row, row_of
from benchmarks.harness.testbed import Site
from benchmarks.harness.wrk import CONNECTIONS, load

_WORDS: Final = b"New order received: "
_ORDER: Final = json.dumps(
    {"items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.99"}], "currency": "EUR"}
).encode()
_SECONDS: Final = 10
_PAUSE_SECONDS: Final = 0.005


def measure(site: Site) -> Sequence[Row]:
    """The 99th percentile, in milliseconds, of orders that are placed beside the load."""
    orders, notifications = site.ours("orders_service"), site.ours("notifications_service")
    url = f"{orders.url}/orders"
    load(url, 2, script="order")
    full = load(url, 4, script="order")
    rate = full.answers / full.seconds / 2
    site.say(f"half load: {rate:.0f} orders/s")
    delay_ms = CONNECTIONS / rate * 1000 - full.p50_ms / 2
    rounds = [_p99_ms(site, url, notifications, delay_ms) for _ in range(site.rounds)]
    return [row_of("announcement", "ms, p99", {"ours": rounds}, {"ours": 50}, more_is_better=False, digits=1)]


def _p99_ms(site: Site, url: str, notifications: Contender, delay_ms: float) -> float:
    background = threading.Thread(
        target=load, args=(url, _SECONDS), kwargs={"script": "order", "delay_ms": round(delay_ms)}
    )
    with Lines(notifications) as lines:
        background.start()
        accepted: dict[bytes, float] = {}
        while background.is_alive():
            accepted[_place(url)] = time.monotonic()
            time.sleep(_PAUSE_SECONDS)
        background.join()
        lines.wait_for(accepted)
    waits = [max(0.0, lines.at[order_id] - at) * 1000 for order_id, at in accepted.items()]
    p99 = quantiles(waits, n=100)[98]
    site.say(f"{len(waits)} orders: p50 {quantiles(waits, n=2)[0]:.1f} ms, p99 {p99:.1f} ms, most {max(waits):.1f} ms")
    return p99


def _place(url: str) -> bytes:
    request = Request(url, _ORDER, {"Content-Type": "application/json"})  # noqa: S310 - our own address
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        order_id: str = json.load(answer)["id"]
    return order_id.encode()


class Lines:
    """Reads a consumer's output as it grows.

    Attributes:
        at: When the line of an order was there, by its id.
    """

    def __init__(self, consumer: Contender) -> None:
        self.at: dict[bytes, float] = {}
        self._log = consumer.log
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        """Begin at the end of what is there."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop reading."""
        self._end.set()
        self._thread.join()

    def wait_for(self, order_ids: dict[bytes, float], seconds: float = 30) -> None:
        """Return when all of them have their line."""
        deadline = time.monotonic() + seconds
        while not order_ids.keys() <= self.at.keys():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(order_ids.keys() - self.at.keys())} orders have no line.")
            time.sleep(0.01)

    def _read(self) -> None:
        with self._log.open("rb") as log:
            log.seek(0, 2)
            rest = b""
            while not self._end.is_set():
                *lines, rest = (rest + log.read()).split(b"\n")
                now = time.monotonic()
                for line in lines:
                    self.at[line.partition(_WORDS)[2]] = now
                time.sleep(0.001)
