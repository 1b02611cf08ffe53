"""`python -m passengers_service.init_db`: makes and upgrades the tables by hand; `--new TEXT` writes a revision."""

import sys

from passengers_service.config.database import SCHEMA
from passengers_service.config.settings import PassengersSettings
from service_kit.postgres.migrations import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    sys.exit(main(load_settings(PassengersSettings), SCHEMA))
