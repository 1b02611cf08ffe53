"""How many orders a second are accepted and published: the one way in which each row of orders counts."""

import time

from benchmarks.harness.processes import Contender
from benchmarks.harness.testbed import Documents
from benchmarks.harness.wrk import CONNECTIONS, Load, load


def place(
    process: Contender, orders: Documents, *, seconds: float, connections: int = CONNECTIONS
) -> tuple[float, Load]:
    """Place orders by wrk, and wait until the last event of them has left the outbox.

    Args:
        process: orders_service.
        orders: Its documents.
        seconds: How long orders are placed.
        connections: How many callers wait for an answer at any time.

    Returns:
        Orders a second of the whole time, and what wrk has met.
    """
    met = load(f"{process.url}/orders", seconds, connections=connections, script="order")
    ended = time.monotonic()
    require_clean(met.errors, process)
    while orders.count_documents({"outbox.0": {"$exists": True}}, limit=1):
        time.sleep(0.01)
    return met.answers / (met.seconds + time.monotonic() - ended), met


def require_clean(errors: int, process: Contender) -> None:
    """Stop a run in which requests failed."""
    if errors:
        raise RuntimeError(f"{errors} requests failed; {process.log} says why.")
