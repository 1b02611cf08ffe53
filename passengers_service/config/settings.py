"""What passengers_service reads from its environment."""

from typing import ClassVar

from pydantic import Field

from service_kit.settings import ApiSettings, PostgresSettings, RabbitSettings, SyncSettings


class PassengersSettings(ApiSettings, PostgresSettings, RabbitSettings, SyncSettings):
    """Settings of passengers_service; `.env.example` lists them."""

    service: ClassVar[str] = "passengers_service"

    port: int = Field(8004, ge=0, le=65535)
    database_name: str = Field("passengers_service", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    bulk_max_rows: int = Field(100_000, ge=1, description="How many rows one bulk request may bring.")
    bulk_max_bytes: int = Field(
        67_108_864,
        ge=1024,
        description="Its size; that of a JSON array is held in memory, rows in CSV and NDJSON are not.",
    )
