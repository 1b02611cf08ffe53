import pytest

from passengers_service.config.settings import PassengersSettings
from service_kit.settings import load_settings


def test_has_its_own_port_and_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("without_env_file"))
    for name in ("PORT", "DATABASE_NAME"):
        monkeypatch.delenv(name, raising=False)

    settings = load_settings(PassengersSettings)

    assert (settings.port, settings.database_name) == (8004, "passengers_service")
