"""What every process reads from its environment, and the one way to read it.

Names are those of `.env.example`; a platform's own names (`MONGO_URL`, …) are accepted beside them.
"""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from service_kit.addresses import account_of, begins_with, is_known_to_everybody, readable_as, with_account
from service_kit.env_files import SHARED, env_files, misplaced, of_one_service, own_sources, stack_addresses
from service_kit.keys import keys_in


def _on_railway() -> bool:
    return not os.environ.keys().isdisjoint({"RAILWAY_ENVIRONMENT", "RAILWAY_ENVIRONMENT_NAME"})


class EnvironmentSettings(BaseSettings):
    """How all settings are read: every group below stands on it, else the last one's configuration would win."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        str_strip_whitespace=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`ORDERS_SERVICE_LOG_LEVEL` goes before `LOG_LEVEL`: services that share an environment may differ."""
        service = getattr(settings_cls, "service", None)
        if service is None or not isinstance(dotenv_settings, DotEnvSettingsSource):
            return init_settings, env_settings, dotenv_settings, file_secret_settings
        own_environment, own_file = own_sources(settings_cls, service, dotenv_settings.env_file)
        return init_settings, own_environment, env_settings, own_file, dotenv_settings, file_secret_settings

    environment: Literal["development", "production"] = Field(
        default_factory=lambda: "production" if _on_railway() else "development"
    )


class ServiceSettings(EnvironmentSettings):
    """Settings of any process, API or worker."""

    service: ClassVar[str] = "service"
    """Name of the process in logs, traces and `/docs`."""

    host: str = Field("127.0.0.1", description="Address to listen on; `*` is every address, IPv4 and IPv6.")
    port: int = Field(8000, ge=0, le=65535)
    trusted_proxies: int = Field(0, ge=0, le=10, description="Reverse proxies of ours in front of it; see proxies.py.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    otel_exporter_otlp_endpoint: str = ""
    max_connections: int = Field(1000, ge=16, description="More callers at the same time are refused with 503.")
    metrics_key: SecretStr = Field(SecretStr(""), description="Keys that open `/metrics`, separated by commas.")

    @property
    def metrics_keys(self) -> list[str]:
        """The keys that open `/metrics`; none means that anybody may read it."""
        return keys_in(self.metrics_key)


class ApiSettings(ServiceSettings):
    """Settings of an HTTP API, whoever may call it."""

    max_body_bytes: int = Field(1_048_576, ge=1024)
    docs: bool = Field(True, description="Whether `/docs` and `/openapi.json` are there.")  # noqa: FBT003 - a default


class ApiKeySettings(EnvironmentSettings):
    """The keys of an API whose callers show one."""

    api_key: SecretStr = Field(SecretStr(""), description="Accepted keys, separated by commas, so that they rotate.")
    allow_anonymous: bool = False

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


class StoreSettings(EnvironmentSettings):
    """What is true of every server that holds data of ours."""

    allow_open_stores: bool = Field(
        default=False, description="Says that a production on stores which anybody may enter is meant."
    )

    @property
    def must_keep_strangers_out(self) -> bool:
        """Whether a store that anybody may enter is refused."""
        return self.environment == "production" and not self.allow_open_stores

    def _guard(self, name: str, address: SecretStr, *, must_name_an_account: bool = True) -> None:
        """Refuse an address that keeps nobody out, in production.

        Raises:
            ValueError: It is one.
        """
        if not self.must_keep_strangers_out:
            return
        user, password = account_of(address)
        if is_known_to_everybody(user, password):
            message = f"the password in {name} is known to everybody: give the account {user} one of your own"
        elif must_name_an_account and not user:
            message = f"{name} names no account, so anybody may read and write there: make the server ask for one"
        else:
            return
        message = f"{message}, or set ALLOW_OPEN_STORES=true if that is meant"
        raise ValueError(message)


class MongoSettings(StoreSettings):
    """Where the documents are."""

    mongodb_uri: Annotated[
        SecretStr,
        begins_with("mongodb://", "mongodb+srv://"),
        Field(validation_alias=AliasChoices("MONGODB_URI", "MONGO_URL"), description="MongoDB's address."),
    ] = SecretStr("mongodb://127.0.0.1:27017")
    mongodb_user: str = ""
    mongodb_password: SecretStr = SecretStr("")
    mongodb_database: str = Field("services", min_length=1, max_length=63, pattern=r"^[A-Za-z0-9_-]+$")

    @model_validator(mode="after")
    def _complete_mongodb(self) -> Self:
        self.mongodb_uri = with_account(self.mongodb_uri, self.mongodb_user, self.mongodb_password)
        # With another mechanism than passwords (a certificate, say) the account need not stand in the address.
        by_password = "authMechanism=" not in self.mongodb_uri.get_secret_value()
        self._guard("MONGODB_URI", self.mongodb_uri, must_name_an_account=by_password)
        return self


def _plain_scheme(address: SecretStr) -> SecretStr:
    """One spelling of what libraries and platforms write in three ways."""
    return SecretStr(f"postgresql://{address.get_secret_value().partition('://')[2]}")


class PostgresSettings(StoreSettings):
    """Where the tables are: the address names the server and who we are, the database has a name of its own."""

    database_url: Annotated[
        SecretStr,
        begins_with("postgresql://", "postgres://", "postgresql+asyncpg://"),
        readable_as("postgresql://user:password@host:5432"),
        AfterValidator(_plain_scheme),
        Field(description="PostgreSQL's address; a database in it is passed over."),
    ] = SecretStr("postgresql://postgres@127.0.0.1:5432")
    database_user: str = ""
    database_password: SecretStr = SecretStr("")
    database_name: str = Field("services", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    log_sql: bool = Field(False, description="Whether every statement is logged, without its parameters.")  # noqa: FBT003 - a default
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

    @model_validator(mode="after")
    def _complete_database(self) -> Self:
        self.database_url = with_account(self.database_url, self.database_user, self.database_password)
        # Its password may come from a file or a certificate may stand for it: only one that is known is refused.
        self._guard("DATABASE_URL", self.database_url, must_name_an_account=False)
        return self


class RabbitSettings(StoreSettings):
    """Where the broker is."""

    rabbitmq_url: Annotated[
        SecretStr,
        begins_with("amqp://", "amqps://"),
        readable_as("amqp://user:password@host:5672/"),
        Field(validation_alias=AliasChoices("RABBITMQ_URL", "CLOUDAMQP_URL"), description="AMQP address."),
    ] = SecretStr("amqp://guest:guest@127.0.0.1:5672/")
    rabbitmq_user: str = ""
    rabbitmq_password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _complete_rabbitmq(self) -> Self:
        self.rabbitmq_url = with_account(self.rabbitmq_url, self.rabbitmq_user, self.rabbitmq_password)
        self._guard("RABBITMQ_URL", self.rabbitmq_url)
        return self


class SyncSettings(EnvironmentSettings):
    """How a service keeps its copy of stamped rows equal with the other side's."""

    max_clock_ahead_hours: float = Field(
        24, ge=2, le=8784, description="How far ahead of the clock a stamp may lie; later ones are refused."
    )

    sync_check_seconds: float = Field(
        300, ge=1, le=86_400, description="How often our digest is told, so that the other side compares."
    )

    @property
    def sync_check(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(seconds=self.sync_check_seconds)

    @property
    def max_clock_ahead(self) -> timedelta:
        """The same as a span of time."""
        return timedelta(hours=self.max_clock_ahead_hours)


SettingsType = TypeVar("SettingsType", bound=BaseSettings)


def _files_for(settings_type: type[BaseSettings]) -> tuple[Path, ...]:
    """The files to read, in the order of `env_files`.

    Raises:
        SystemExit: With status 2 when the file of all has what belongs to one service.
    """
    package = settings_type.__module__.partition(".")[0]
    file = getattr(sys.modules.get(package), "__file__", None)
    files = env_files(Path(file).parent if file else None)
    if SHARED in files and (names := of_one_service(_names_in(SHARED))):
        print(f"Cannot start: {misplaced(names, getattr(settings_type, 'service', None))}", file=sys.stderr)
        raise SystemExit(2)
    addresses = stack_addresses()
    if addresses and EnvironmentSettings(_env_file=files).environment == "development":
        return addresses, *files
    return files


def _names_in(file: Path) -> list[str]:
    return list(DotEnvSettingsSource(EnvironmentSettings, env_file=file).env_vars)


def load_settings(settings_type: type[SettingsType]) -> SettingsType:
    """Read the settings, or end the process with one line per mistake and no value in it.

    Raises:
        SystemExit: With status 2 when a setting is missing or wrong.
    """
    try:
        return settings_type(_env_file=_files_for(settings_type))
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(str(part) for part in mistake["loc"]).upper() or "settings"
            print(f"Cannot start: {name}: {mistake['msg'].removeprefix('Value error, ')}.", file=sys.stderr)
        raise SystemExit(2) from None
