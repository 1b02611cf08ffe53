"""What `python -m <service>.heal` does: replaces stamps of a clock that was far ahead by stamps of now."""

from typing import Any

from service_kit.clock import utc_now
from service_kit.postgres.store import PostgresStore
from service_kit.replication.healing import CopyHeal
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.resync import run_on
from service_kit.replication.table import ReplicatedTable


def main(store: PostgresStore, table: ReplicatedTable[Any], clock: HybridClock) -> int:
    """Heal our rows, and put the changes into the outbox.

    Args:
        store: Is prepared here, and closed.
        table: Our copy.
        clock: Of our node.

    Returns:
        Exit status: 0 if nothing is too far ahead any more; else 1.
    """

    async def heal() -> str:
        healed = await CopyHeal(table, store, clock).run(utc_now())
        return f"{healed} rows were stamped too far ahead, and are healed. Run it on the other side too."

    return run_on(store, heal)
