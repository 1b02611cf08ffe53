from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from service_kit.settings.environment import load_settings
from service_kit.settings.process import ApiKeySettings, ApiSettings, ServiceSettings
from service_kit.settings.stores import MongoSettings, PostgresSettings, RabbitSettings

pytestmark = pytest.mark.usefixtures("clean_environment")


class EverySettings(ApiSettings, ApiKeySettings, MongoSettings, PostgresSettings, RabbitSettings):
    """As a service with a store and a broker puts them together."""


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("MONGODB_URI", "mongodb_uri", "mongodb://first"),
        ("MONGO_URL", "mongodb_uri", "mongodb://second"),
        ("RABBITMQ_URL", "rabbitmq_url", "amqp://first"),
        ("CLOUDAMQP_URL", "rabbitmq_url", "amqps://second"),
        ("DATABASE_URL", "database_url", "postgresql://first"),
    ],
)
def test_takes_an_address_under_our_name_and_the_platforms(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert getattr(load_settings(EverySettings), field).get_secret_value() == value


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_takes_three_spellings_of_a_postgresql_address_for_one(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://me:ge%2Fheim@host:5433/railway?sslmode=require")

    address = load_settings(PostgresSettings).database_url.get_secret_value()

    assert address == "postgresql://me:ge%2Fheim@host:5433/railway?sslmode=require"


def test_prefers_our_name_to_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", "mongodb://platform")
    monkeypatch.setenv("MONGODB_URI", "mongodb://ours")

    assert load_settings(MongoSettings).mongodb_uri.get_secret_value() == "mongodb://ours"


def test_takes_an_empty_variable_for_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("MONGODB_URI", "")
    monkeypatch.setenv("MONGO_URL", "mongodb://platform")

    settings = load_settings(EverySettings)

    assert (settings.port, settings.mongodb_uri.get_secret_value()) == (8000, "mongodb://platform")


def test_strips_the_line_end_of_a_pasted_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", " mongodb://host\n")

    assert load_settings(MongoSettings).mongodb_uri.get_secret_value() == "mongodb://host"


def test_reads_the_env_file_and_leaves_what_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MONGODB_URI=mongodb://from-file\nMAX_BODY_BYTES=2048\nSOMETHING_ELSE=1\n")

    settings = load_settings(EverySettings)

    assert (settings.max_body_bytes, settings.mongodb_uri.get_secret_value()) == (2048, "mongodb://from-file")


def test_the_environment_goes_before_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")

    assert load_settings(ServiceSettings).log_level == "ERROR"


@pytest.mark.parametrize(
    ("listed", "keys"),
    [("", []), (" , ", []), ("one", ["one"]), ("new, old", ["new", "old"]), ("ключ,one", ["ключ", "one"])],
)
def test_several_keys_stand_separated_by_commas(monkeypatch: pytest.MonkeyPatch, listed: str, keys: list[str]) -> None:
    monkeypatch.setenv("API_KEY", listed)

    assert load_settings(ApiKeySettings).api_keys == keys


PRODUCTION = [{"ENVIRONMENT": "production"}, {"RAILWAY_ENVIRONMENT": "staging"}, {"RAILWAY_ENVIRONMENT_NAME": "pr-7"}]


@pytest.mark.parametrize("production", PRODUCTION)
@pytest.mark.parametrize("meant", [{"API_KEY": "a key"}, {"ALLOW_ANONYMOUS": "true"}])
def test_starts_in_production_with_a_key_or_when_anybody_is_meant(
    monkeypatch: pytest.MonkeyPatch, production: dict[str, str], meant: dict[str, str]
) -> None:
    for name, value in {**production, **meant}.items():
        monkeypatch.setenv(name, value)

    assert load_settings(ApiKeySettings).environment == "production"


@pytest.mark.parametrize("production", PRODUCTION)
@pytest.mark.parametrize("keys", ["", " , "])
def test_refuses_to_start_in_production_without_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], production: dict[str, str], keys: str
) -> None:
    for name, value in {**production, "API_KEY": keys}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as refused:
        load_settings(ApiKeySettings)

    assert refused.value.code == 2
    assert capsys.readouterr().err == (
        "Cannot start: settings: set API_KEY, or ALLOW_ANONYMOUS=true if anybody may read and write here.\n"
    )


def test_development_on_railway_must_be_said_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAILWAY_ENVIRONMENT", "production")
    monkeypatch.setenv("ENVIRONMENT", "development")

    assert load_settings(ApiKeySettings).environment == "development"


@pytest.mark.parametrize("settings_type", [ServiceSettings, EverySettings])
def test_tells_every_mistake_in_a_sentence_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings_type: type[BaseSettings]
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("LOG_FORMAT", "xml")

    with pytest.raises(SystemExit) as refused:
        load_settings(settings_type)

    assert refused.value.code == 2
    assert sorted(capsys.readouterr().err.splitlines()) == [
        "Cannot start: LOG_FORMAT: Input should be 'console' or 'json'.",
        "Cannot start: PORT: Input should be a valid integer, unable to parse string as an integer.",
    ]


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("MONGODB_URI", "mysql://me:geheim@host", "begin it with mongodb:// or mongodb+srv://"),
        ("MONGO_URL", "me:geheim@host", "begin it with mongodb:// or mongodb+srv://"),
        ("RABBITMQ_URL", "http://me:geheim@host", "begin it with amqp:// or amqps://"),
        ("RABBITMQ_URL", "amqp://me:ge/heim@host", "write it as amqp://user:password@host:5672/, "),
        ("DATABASE_URL", "mysql://me:geheim@host", "begin it with postgresql:// or postgres:// or postgresql+asyncpg"),
        ("DATABASE_URL", "postgres://me:ge/heim@host", "write it as postgresql://user:password@host:5432, "),
        ("DATABASE_NAME", "geheim-x", "String should match pattern"),
        ("MONGODB_DATABASE", "geheim/x", "String should match pattern"),
        ("MAX_BODY_BYTES", "geheim", "Input should be a valid integer"),
    ],
)
def test_a_mistake_is_told_without_the_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, advice: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        load_settings(EverySettings)

    told = capsys.readouterr().err
    assert advice in told
    assert "geheim" not in told


def test_even_unloaded_a_mistake_shows_no_value() -> None:
    with pytest.raises(ValidationError) as refused:
        EverySettings.model_validate({"mongodb_uri": "geheim", "port": "geheim"})

    assert "geheim" not in str(refused.value)


def test_shows_no_secret_when_it_is_printed() -> None:
    settings = EverySettings(
        api_key="geheim",
        mongodb_uri="mongodb://me:geheim@host",
        rabbitmq_url="amqp://geheim@host",
        database_url="postgresql://me:geheim@host",
    )

    assert "geheim" not in f"{settings!r} {settings}"
