"""`python -m reservations_service.resync`: makes both services hold the same passengers again, whichever has lost some.

Writes events of all passengers of this copy, and then one that asks passengers_service for all of its own. The running
service sends them; applying what is known already changes nothing.
"""

import asyncio
import sys

from reservations_service.config.database import open_store
from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import NODE
from reservations_service.services.copy import PASSENGER_COPY
from service_kit.clock import utc_now
from service_kit.copy_sync import CopySync
from service_kit.hybrid_clock import HybridClock
from service_kit.postgres_store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.settings import load


async def resync(store: PostgresStore) -> int:
    """Write the events into the outbox, and show how far it is; answers how many passengers were told."""
    await store.prepare()
    sync = CopySync(PASSENGER_COPY, store, HybridClock(NODE, utc_now))
    total = await sync.count()
    try:
        return await sync.resync(lambda rows: print(f"\r{rows:,} of {total:,}", end="", flush=True))
    finally:
        print()
        await store.engine.dispose()


def main() -> None:
    """Run it, and say in one line what was done or what hinders it."""
    try:
        rows = asyncio.run(resync(open_store(load(ReservationsSettings))))
    except (StoreUnavailableError, OSError) as error:
        sys.exit(f"PostgreSQL cannot be used; DATABASE_URL says where it is: {error}")
    print(f"Told {rows:,} passengers, and asked passengers_service for its own; the running services do the rest.")


if __name__ == "__main__":
    main()
