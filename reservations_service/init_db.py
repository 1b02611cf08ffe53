"""`python -m reservations_service.init_db`: makes and upgrades the tables by hand; `--new TEXT` writes a revision."""

import sys

from reservations_service.config.database import SCHEMA
from reservations_service.config.settings import ReservationsSettings
from service_kit.postgres.migrations import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    sys.exit(main(load_settings(ReservationsSettings), SCHEMA))
