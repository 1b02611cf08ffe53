"""`python -m passengers_service.resync`: restores the passengers of whichever service has lost some.

Publishes all of ours, and requests those of reservations_service.
"""

import sys

from passengers_service.config.database import open_store
from passengers_service.config.settings import PassengersSettings
from passengers_service.services.replica import open_replication
from service_kit.replication.resync import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    settings = load_settings(PassengersSettings)
    sys.exit(main(open_replication(open_store(settings), settings)))
