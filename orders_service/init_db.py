"""`python -m orders_service.init_db`: makes the indexes of the orders by hand, and reports what differs.

`… duplicates` shows orders that share an idempotency key, `… settle` settles them.
"""

import sys

from orders_service.config.database import open_store
from orders_service.config.settings import OrdersSettings
from orders_service.models.order import FORMER_IDEMPOTENCY_INDEX, IDEMPOTENCY_INDEX, KEYS_OF_NOBODY, KEYS_TAKEN_OFF
from service_kit.mongo.indexes import main
from service_kit.settings.environment import load_settings

if __name__ == "__main__":
    sys.exit(
        main(
            open_store(load_settings(OrdersSettings)),
            {IDEMPOTENCY_INDEX: KEYS_TAKEN_OFF},
            former={FORMER_IDEMPOTENCY_INDEX: KEYS_OF_NOBODY},
        )
    )
