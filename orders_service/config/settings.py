"""What orders_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import MongoSettings, RabbitSettings


class OrdersSettings(ApiSettings, ApiKeySettings, MongoSettings, RabbitSettings):
    """Settings of orders_service; `.env.example` lists them."""

    service: ClassVar[str] = "orders_service"

    port: int = Field(8002, ge=0, le=65535)
    mongodb_database: str = Field("orders_service", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")
    cancellation_window_minutes: int = Field(
        30, ge=0, le=525_600, description="How long after it was placed an order can be cancelled."
    )
