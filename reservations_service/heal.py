"""`python -m reservations_service.heal`: repairs passengers that were edited while a clock was far ahead.

Run it on both sides.
"""

import sys

from reservations_service.config.database import open_store
from reservations_service.config.settings import ReservationsSettings
from reservations_service.services.replica import open_replication
from service_kit.replication.heal import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    settings = load_settings(ReservationsSettings)
    sys.exit(main(open_replication(open_store(settings), settings)))
