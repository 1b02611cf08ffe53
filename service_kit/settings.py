"""What every process reads from its environment, and the one way to read it.

Names are those of `.env.example`; a platform's own names (`MONGO_URL`, …) are accepted beside them.
"""

import os
import sys
from datetime import timedelta
from typing import Annotated, ClassVar, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service_kit.http_limits import HttpLimits
from service_kit.keys import keys_in


def _on_railway() -> bool:
    return not os.environ.keys().isdisjoint({"RAILWAY_ENVIRONMENT", "RAILWAY_ENVIRONMENT_NAME"})


class EnvironmentSettings(BaseSettings):
    """How all settings are read: every group below stands on it, else the last one's configuration would win."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        str_strip_whitespace=True,
    )


class ServiceSettings(EnvironmentSettings):
    """Settings of any process, API or worker."""

    service: ClassVar[str] = "service"
    """Name of the process in logs, traces and `/docs`."""

    environment: Literal["development", "production"] = Field(
        default_factory=lambda: "production" if _on_railway() else "development"
    )
    host: str = Field("127.0.0.1", description="Address to listen on; `*` is every address, IPv4 and IPv6.")
    port: int = Field(8000, ge=0, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    otel_exporter_otlp_endpoint: str = ""
    max_connections: int = Field(1000, ge=16, description="More callers at the same time are refused with 503.")
    metrics_key: SecretStr = Field(SecretStr(""), description="Keys that open `/metrics`, separated by commas.")

    @property
    def metrics_keys(self) -> list[str]:
        """The keys that open `/metrics`; none means that anybody may read it."""
        return keys_in(self.metrics_key)

    @property
    def http_limits(self) -> HttpLimits:
        """What a caller may take of a server."""
        return HttpLimits(connections=self.max_connections)


class ApiSettings(ServiceSettings):
    """Settings of an HTTP API."""

    api_key: SecretStr = Field(SecretStr(""), description="Accepted keys, separated by commas, so that they rotate.")
    allow_anonymous: bool = False
    max_body_bytes: int = Field(1_048_576, ge=1024)
    docs: bool = Field(True, description="Whether `/docs` and `/openapi.json` are there.")  # noqa: FBT003 - a default

    @property
    def api_keys(self) -> list[str]:
        """The accepted keys; none means that anybody may call."""
        return keys_in(self.api_key)

    @model_validator(mode="after")
    def _require_a_key_in_production(self) -> Self:
        if self.environment == "production" and not self.api_keys and not self.allow_anonymous:
            message = "set API_KEY, or ALLOW_ANONYMOUS=true if anybody may read and write here"
            raise ValueError(message)
        return self


def _address(*schemes: str) -> AfterValidator:
    def check(address: SecretStr) -> SecretStr:
        if not address.get_secret_value().startswith(schemes):
            message = f"begin it with {' or '.join(schemes)}"
            raise ValueError(message)
        return address

    return AfterValidator(check)


def _readable(example: str) -> AfterValidator:
    def check(address: SecretStr) -> SecretStr:
        try:
            _ = urlsplit(address.get_secret_value()).port
        except ValueError:  # whose own words would quote a part of the password
            message = f"write it as {example}, the password's special characters percent-encoded"
            raise ValueError(message) from None
        return address

    return AfterValidator(check)


class MongoSettings(EnvironmentSettings):
    """Where the documents are."""

    mongodb_uri: Annotated[
        SecretStr,
        _address("mongodb://", "mongodb+srv://"),
        Field(validation_alias=AliasChoices("MONGODB_URI", "MONGO_URL"), description="MongoDB's address."),
    ] = SecretStr("mongodb://127.0.0.1:27017")
    mongodb_database: str = Field("services", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")


def _plain_scheme(address: SecretStr) -> SecretStr:
    """One spelling of what libraries and platforms write in three ways."""
    return SecretStr(f"postgresql://{address.get_secret_value().partition('://')[2]}")


class PostgresSettings(EnvironmentSettings):
    """Where the tables are: the address names the server and who we are, the database has a name of its own."""

    database_url: Annotated[
        SecretStr,
        _address("postgresql://", "postgres://", "postgresql+asyncpg://"),
        _readable("postgresql://user:password@host:5432"),
        AfterValidator(_plain_scheme),
        Field(description="PostgreSQL's address; a database in it is passed over."),
    ] = SecretStr("postgresql://postgres@127.0.0.1:5432")
    database_name: str = Field("services", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    database_statement_timeout_seconds: int = Field(
        30, ge=1, description="A statement that takes longer is given up: no caller waits for it any more."
    )
    database_lock_timeout_seconds: int = Field(
        15,
        ge=1,
        description="Who waits longer for a lock gives up. Longer than the next one, so that a process that stands "
        "still with a lock has lost it before others are refused.",
    )
    database_idle_in_transaction_timeout_seconds: int = Field(
        10,
        ge=1,
        description="A transaction in which nothing happens for so long is undone, and its locks with it: its process "
        "was frozen, or cut off.",
    )
    database_tcp_keepalives_idle_seconds: int = Field(
        10, ge=1, description="A connection that is silent for so long is asked whether its other end is there still."
    )
    database_tcp_keepalives_interval_seconds: int = Field(5, ge=1, description="And asked again after so long.")
    database_tcp_keepalives_count: int = Field(
        3, ge=1, description="After so many questions without an answer it is over, instead of after two hours."
    )


class RabbitSettings(EnvironmentSettings):
    """Where the broker is."""

    rabbitmq_url: Annotated[
        SecretStr,
        _address("amqp://", "amqps://"),
        _readable("amqp://user:password@host:5672/"),
        Field(validation_alias=AliasChoices("RABBITMQ_URL", "CLOUDAMQP_URL"), description="AMQP address."),
    ] = SecretStr("amqp://guest:guest@127.0.0.1:5672/")


class SyncSettings(EnvironmentSettings):
    """How a service keeps its copy of stamped rows equal with the other side's."""

    max_clock_ahead_hours: float = Field(
        24, ge=2, le=8784, description="How far ahead of the clock a stamp may lie; later ones are refused."
    )

    @property
    def max_clock_ahead(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(hours=self.max_clock_ahead_hours)


SettingsType = TypeVar("SettingsType", bound=BaseSettings)


def load(settings_type: type[SettingsType]) -> SettingsType:
    """Read the settings, or end the process with one line per mistake and no value in it.

    Raises:
        SystemExit: With status 2 when a setting is missing or wrong.
    """
    try:
        return settings_type()
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(str(part) for part in mistake["loc"]).upper() or "settings"
            print(f"Cannot start: {name}: {mistake['msg'].removeprefix('Value error, ')}.", file=sys.stderr)
        raise SystemExit(2) from None
