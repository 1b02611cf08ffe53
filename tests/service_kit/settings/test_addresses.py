from urllib.parse import unquote

import pytest
from pydantic import SecretStr

from service_kit.settings.addresses import account_of, is_known_to_everybody, with_account
from service_kit.settings.environment import load_settings
from service_kit.settings.process import ApiKeySettings, ApiSettings
from service_kit.settings.stores import MongoSettings, PostgresSettings, RabbitSettings

pytestmark = pytest.mark.usefixtures("clean_environment")

AWKWARD = ["p@ss/w#1", "a:b@c?d", "50%", "%2F", "¡contraseña!", '"\\$ `', "[::1]", "+ +"]


class EverySettings(ApiSettings, ApiKeySettings, MongoSettings, PostgresSettings, RabbitSettings):
    """As a service with stores and a broker puts them together."""


@pytest.mark.parametrize("password", AWKWARD)
@pytest.mark.parametrize(
    "address", ["amqp://rabbitmq:5672/vhost", "mongodb://one:27017,two:27017/?w=1", "postgresql://"]
)
def test_takes_a_password_as_it_is(address: str, password: str) -> None:
    completed = with_account(SecretStr(address), "me", SecretStr(password))

    assert account_of(completed) == ("me", password)
    scheme, rest = address.split("://")
    assert completed.get_secret_value().startswith(f"{scheme}://me:")
    assert completed.get_secret_value().endswith(f"@{rest}")


@pytest.mark.parametrize(
    ("address", "completed"),
    [
        ("amqp://you:yours@host:5672/", "amqp://you:yours@host:5672/"),
        ("amqp://you@host:5672/", "amqp://you:mine@host:5672/"),
        ("amqp://you:p%40ss@host?x=a@b", "amqp://you:p%40ss@host?x=a@b"),
        ("amqp://host/a@b", "amqp://me:mine@host/a@b"),
    ],
)
def test_fills_in_only_what_the_address_leaves_out(address: str, completed: str) -> None:
    assert with_account(SecretStr(address), "me", SecretStr("mine")).get_secret_value() == completed


@pytest.mark.parametrize("address", ["amqp://host:5672/", "amqp://you:yours@host"])
def test_leaves_an_address_alone_when_there_is_nothing_to_fill_in(address: str) -> None:
    assert with_account(SecretStr(address), "", SecretStr("")).get_secret_value() == address


@pytest.mark.parametrize(
    ("user", "password", "is_known"),
    [
        ("services", "services", True),
        ("guest", "guest", True),
        ("orders_service", "services", True),
        ("postgres", "postgres", True),
        ("postgres", "", False),
        ("orders_service", "orders", False),
    ],
)
def test_knows_the_passwords_that_everybody_knows(user: str, password: str, *, is_known: bool) -> None:
    assert is_known_to_everybody(user, password) is is_known


@pytest.mark.parametrize(
    ("prefix", "field", "address"),
    [
        ("MONGODB", "mongodb_uri", "mongodb://127.0.0.1:27017"),
        ("RABBITMQ", "rabbitmq_url", "amqp://rabbitmq:5672/"),
        ("DATABASE", "database_url", "postgresql://postgres:5432"),
    ],
)
def test_reads_the_account_beside_the_address(
    monkeypatch: pytest.MonkeyPatch, prefix: str, field: str, address: str
) -> None:
    monkeypatch.setenv(field.upper(), address)
    monkeypatch.setenv(f"{prefix}_USER", "me")
    monkeypatch.setenv(f"{prefix}_PASSWORD", "p@ss/w#1")

    completed = getattr(load_settings(EverySettings), field).get_secret_value()

    assert unquote(completed) == address.replace("://", "://me:p@ss/w#1@")


def test_wants_the_user_to_whom_a_password_belongs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MONGODB_PASSWORD", "geheim")

    with pytest.raises(SystemExit):
        load_settings(MongoSettings)

    assert capsys.readouterr().err == "Cannot start: settings: name the user to whom the password belongs.\n"


GUARDED = {
    "ENVIRONMENT": "production",
    "API_KEY": "a key",
    "MONGODB_URI": "mongodb://me:mine@host",
    "RABBITMQ_URL": "amqp://me:mine@host",
    "DATABASE_URL": "postgresql://me:mine@host",
}


@pytest.mark.parametrize(
    ("name", "address", "reason"),
    [
        ("MONGODB_URI", "mongodb://host:27017", "MONGODB_URI names no account"),
        ("MONGODB_URI", "mongodb://services:services@host", "the password in MONGODB_URI is known to everybody"),
        ("RABBITMQ_URL", "amqp://services:services@host", "the password in RABBITMQ_URL is known to everybody"),
        ("RABBITMQ_URL", "amqp://guest:guest@host", "the password in RABBITMQ_URL is known to everybody"),
        ("RABBITMQ_URL", "amqp://host", "RABBITMQ_URL names no account"),
        ("DATABASE_URL", "postgres://services:services@host", "the password in DATABASE_URL is known to everybody"),
    ],
)
def test_refuses_a_store_in_production_that_keeps_nobody_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, address: str, reason: str
) -> None:
    for variable, value in {**GUARDED, name: address}.items():
        monkeypatch.setenv(variable, value)

    with pytest.raises(SystemExit) as refused:
        load_settings(EverySettings)

    assert refused.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(f"Cannot start: settings: {reason}")
    assert told.endswith("or set ALLOW_OPEN_STORES=true if that is meant.\n")


@pytest.mark.parametrize(
    "further",
    [
        {},
        {"MONGODB_URI": "mongodb://host/?authMechanism=MONGODB-X509&tls=true"},
        {"DATABASE_URL": "postgresql://me@host?sslcert=mine.pem"},
        {"RABBITMQ_URL": "amqp://host", "RABBITMQ_USER": "me", "RABBITMQ_PASSWORD": "mine"},
        {"RABBITMQ_URL": "amqp://guest:guest@host", "MONGODB_URI": "mongodb://host", "ALLOW_OPEN_STORES": "true"},
        {"RABBITMQ_URL": "amqp://guest:guest@host", "MONGODB_URI": "mongodb://host", "ENVIRONMENT": "development"},
    ],
)
def test_starts_on_stores_that_keep_strangers_out_or_are_meant_to_be_open(
    monkeypatch: pytest.MonkeyPatch, further: dict[str, str]
) -> None:
    for variable, value in (GUARDED | further).items():
        monkeypatch.setenv(variable, value)

    assert load_settings(EverySettings).environment == (GUARDED | further)["ENVIRONMENT"]
