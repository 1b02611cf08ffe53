"""`python -m passengers_service.resync`: restores the passengers of whichever service has lost some.

Tells reservations_service all of ours, and asks for its own in turn.
"""

import sys

from passengers_service.config.database import open_store
from passengers_service.config.settings import PassengersSettings
from passengers_service.events import NODE
from passengers_service.services.replica import PASSENGER_REPLICA
from service_kit.clock import utc_now
from service_kit.replication.hybrid_clock import HybridClock
from service_kit.replication.resync import main
from service_kit.settings import load_settings

if __name__ == "__main__":
    settings = load_settings(PassengersSettings)
    clock = HybridClock(NODE, utc_now, settings.max_clock_ahead)
    sys.exit(main(open_store(settings), PASSENGER_REPLICA, clock))
