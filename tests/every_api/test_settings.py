"""What an API is set to when nobody says anything, and what it refuses to be set to."""

import pytest

from service_kit.settings.environment import load_settings
from tests.every_api.apis import APIS, WITH_ACCOUNTS, Api

EVERY = (*APIS, *WITH_ACCOUNTS)


@pytest.mark.parametrize("api", EVERY, ids=lambda api: api.name)
def test_has_its_own_port_and_database(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_NAME", "MONGODB_DATABASE"):
        monkeypatch.delenv(name, raising=False)

    settings = load_settings(api.settings_type).model_dump()

    assert settings["port"] == api.service.port
    assert settings["database_name" if api.is_on_postgres else "mongodb_database"] == api.name


@pytest.mark.parametrize(
    ("api", "name", "value"),
    [(api, name, value) for api in EVERY for name, values in api.refuses.items() for value in values],
    ids=lambda value: getattr(value, "name", value),
)
def test_refuses_what_makes_no_sense(
    api: Api, name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        load_settings(api.settings_type)

    assert f"Cannot start: {name}: " in capsys.readouterr().err
