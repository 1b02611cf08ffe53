"""What the routes ask for."""

from typing import Annotated

from service_kit.api.dependencies import provided
from service_kit.mongo.client import MongoStore
from user_service.services.users import Users

UsersDep = Annotated[Users, provided(Users)]
StoreDep = Annotated[MongoStore, provided(MongoStore)]
