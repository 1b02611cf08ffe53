"""What passengers_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.replication.settings import SyncSettings
from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import PostgresSettings, RabbitSettings


class PassengersSettings(ApiSettings, ApiKeySettings, PostgresSettings, RabbitSettings, SyncSettings):
    """Settings of passengers_service; `.env.example` lists them."""

    service: ClassVar[str] = "passengers_service"

    port: int = Field(8004, ge=0, le=65535)
    database_name: str = Field("passengers_service", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    bulk_max_rows: int = Field(100_000, ge=1, description="How many rows one bulk request may bring.")
    bulk_max_bytes: int = Field(
        67_108_864,
        ge=1024,
        description="Its size.",
    )
    bulk_spool_max_bytes: int = Field(
        1_073_741_824,
        ge=1024,
        description="Room on disk for all bodies that wait for their end, in the folder that TMPDIR names.",
    )
    bulk_min_bytes_per_second: int = Field(
        1024, ge=1, description="Who sends slower is given up: slower than any network that people use."
    )
    bulk_max_seconds: int = Field(
        900, ge=1, description="How long a body may come; platforms cut requests off after a quarter of an hour."
    )
