"""What `python -m <service>.heal` does: replaces stamps of a clock that was far ahead by stamps of now."""

from typing import Any

from service_kit.clock import utc_now
from service_kit.replication.healing import CopyHeal
from service_kit.replication.replication import Replication
from service_kit.replication.resync import run_on


def main(replication: Replication[Any]) -> int:
    """Heal our rows, and put the changes into the outbox.

    Args:
        replication: Its store is prepared here, and closed.

    Returns:
        Exit status: 0 if nothing is too far ahead any more; else 1.
    """

    async def heal() -> str:
        healed = await CopyHeal(replication.table, replication.store, replication.clock).run(utc_now())
        return f"{healed} rows were stamped too far ahead, and are healed. Run it on the other side too."

    return run_on(replication.store, heal)
