"""user_service: who the users are. A table of contents; start reading here."""

from fastapi import FastAPI

from service_kit.accounts.passwords import PasswordHasher, usable_cores
from service_kit.api.app import create_app
from service_kit.settings.environment import load_settings
from user_service.config.database import open_store
from user_service.config.settings import UserSettings
from user_service.routes import user_routes
from user_service.services.users import Users


def build(settings: UserSettings) -> FastAPI:
    """The API on the database that `settings` name."""
    store = open_store(settings)
    hasher = PasswordHasher(settings.bcrypt_rounds, threads=usable_cores())
    return create_app(
        settings,
        description="Users. Passwords are hashed with bcrypt, and never answered or logged.",
        routers=[user_routes.router],
        resources=[hasher, store],
        services=[Users(store, hasher)],
        tags={"users": "Registered, read, listed, changed and removed."},
    )


app = build(load_settings(UserSettings))
