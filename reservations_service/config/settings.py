"""What reservations_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.replication.settings import SyncSettings
from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import PostgresSettings, RabbitSettings


class ReservationsSettings(ApiSettings, ApiKeySettings, PostgresSettings, RabbitSettings, SyncSettings):
    """Settings of reservations_service; `.env.example` lists them."""

    service: ClassVar[str] = "reservations_service"

    port: int = Field(8005, ge=0, le=65535)
    database_name: str = Field("reservations_service", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    hold_minutes: int = Field(15, ge=1, le=10_080, description="How long a pending reservation holds its seat.")
