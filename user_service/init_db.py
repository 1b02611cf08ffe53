"""`python -m user_service.init_db`: makes the index of the users by hand, and reports what differs.

`… duplicates` shows users who share an e-mail address, `… settle` settles them.
"""

import sys

from service_kit.mongo.indexes import main
from service_kit.settings.environment import load_settings
from user_service.config.database import open_store
from user_service.config.settings import UserSettings
from user_service.models.user import EMAIL_INDEX, EMAILS_SET_APART

if __name__ == "__main__":
    sys.exit(main(open_store(load_settings(UserSettings)), {EMAIL_INDEX: EMAILS_SET_APART}))
