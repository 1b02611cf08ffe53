"""What the routes ask for."""

from typing import Annotated

from orders_service.services.orders import Orders
from service_kit.api.dependencies import provided
from service_kit.mongo.client import MongoStore

OrdersDep = Annotated[Orders, provided(Orders)]
StoreDep = Annotated[MongoStore, provided(MongoStore)]
