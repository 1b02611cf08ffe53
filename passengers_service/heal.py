"""`python -m passengers_service.heal`: repairs passengers that were edited while a clock was far ahead.

Run it on both sides.
"""

import sys

from passengers_service.config.database import open_store
from passengers_service.config.settings import PassengersSettings
from passengers_service.services.replica import open_replication
from service_kit.replication.heal import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    settings = load_settings(PassengersSettings)
    sys.exit(main(open_replication(open_store(settings), settings)))
