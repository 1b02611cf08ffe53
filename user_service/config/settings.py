"""What user_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import MongoSettings


class UserSettings(ApiSettings, ApiKeySettings, MongoSettings):
    """Settings of user_service; `.env.example` lists them."""

    service: ClassVar[str] = "user_service"

    port: int = Field(8001, ge=0, le=65535)
    mongodb_database: str = Field("user_service", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")
    bcrypt_rounds: int = Field(12, ge=4, le=16, description="Cost of a password hash; each step doubles its time.")
