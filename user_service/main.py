"""user_service: who the users are. A table of contents; start reading here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI

from service_kit.accounts.passwords import PasswordHasher, usable_cores
from service_kit.api.app import create_app
from service_kit.mongo.client import MONGO_TRANSLATIONS
from service_kit.observability.health import Check
from service_kit.settings import load_settings
from user_service.config.database import open_store
from user_service.config.settings import UserSettings
from user_service.routes import user_routes
from user_service.services.users import Users


def build(settings: UserSettings) -> FastAPI:
    """The API on the database that `settings` name."""
    store = open_store(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with closing(PasswordHasher(settings.bcrypt_rounds, threads=usable_cores())) as hasher:
            app.state.store = store
            app.state.users = Users(store, hasher)
            async with store.opened():
                yield

    return create_app(
        settings,
        description="Users. Passwords are hashed with bcrypt, and never answered or logged.",
        routers=[user_routes.router],
        lifespan=lifespan,
        checks=[Check("mongodb", store.ping)],
        translations=MONGO_TRANSLATIONS,
        tags={"users": "Registered, read, listed, changed and removed."},
    )


app = build(load_settings(UserSettings))
