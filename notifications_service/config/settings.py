"""What notifications_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.settings.process import ServiceSettings
from service_kit.settings.stores import RabbitSettings


class NotificationsSettings(ServiceSettings, RabbitSettings):
    """Settings of notifications_service; `.env.example` lists them."""

    service: ClassVar[str] = "notifications_service"

    port: int = Field(8003, ge=0, le=65535)
