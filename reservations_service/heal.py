"""`python -m reservations_service.heal`: mends passengers that were edited while a clock was far ahead.

To be run on both sides.
"""

import sys

from reservations_service.config.database import open_store
from reservations_service.config.settings import ReservationsSettings
from reservations_service.events import NODE
from reservations_service.services.replica import PASSENGER_REPLICA
from service_kit.clock import utc_now
from service_kit.replication.heal import main
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(ReservationsSettings)
    clock = HybridClock(NODE, utc_now, settings.max_clock_ahead)
    sys.exit(main(open_store(settings), PASSENGER_REPLICA, clock))
