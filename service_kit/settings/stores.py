"""Where the servers are that hold data of ours, and whether they keep strangers out."""

from typing import Annotated, Self

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, model_validator

from service_kit.settings.addresses import account_of, begins_with, is_known_to_everybody, readable_as, with_account
from service_kit.settings.environment import EnvironmentSettings


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
