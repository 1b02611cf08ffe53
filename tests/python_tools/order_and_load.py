"""Places an order and loads passengers by the clients that openapi-python-client has made; prints what they answered.

Arguments: the addresses of orders_service and passengers_service, and their key.
"""

import json
import sys
from datetime import date

from orders_client import AuthenticatedClient as OrdersClient
from orders_client.api.orders import create_orders_post
from orders_client.models import NewItem, NewOrder, NewOrderCurrency
from passengers_client import AuthenticatedClient as PassengersClient
from passengers_client.api.passengers import load_passengers_bulk_post
from passengers_client.models import NewPassenger, NewPassengerNationality

orders_url, passengers_url, key = sys.argv[1:]
key_header = {"token": key, "prefix": "", "auth_header_name": "X-API-Key"}

orders = OrdersClient(base_url=orders_url, **key_header)
mug = NewItem(sku="MUG-01", name="Coffee mug", quantity=3, unit_price="19.99")
new_order = NewOrder(items=[mug], currency=NewOrderCurrency.EUR)
order = create_orders_post.sync(client=orders, body=new_order, idempotency_key="generated-python")

passengers = PassengersClient(base_url=passengers_url, **key_header)
people = [
    NewPassenger(
        document_type="passport",
        document_number=f"PY{number:06}",
        first_name="Ada",
        last_name="Lovelace",
        birth_date=date(1990, 5, 17),
        nationality=NewPassengerNationality.ES,
    )
    for number in range(3)
]
loaded = load_passengers_bulk_post.sync(client=passengers, body=people, prefer="handling=strict")

print(json.dumps({"order": order.to_dict(), "loaded": loaded.to_dict()}))
