import pytest

from service_kit.settings import load_settings
from user_service.config.settings import UserSettings


@pytest.fixture(autouse=True)
def _without_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("without_env_file"))
    for name in ("PORT", "MONGODB_DATABASE", "BCRYPT_ROUNDS"):
        monkeypatch.delenv(name, raising=False)


def test_has_its_own_port_and_database() -> None:
    settings = load_settings(UserSettings)

    assert (settings.port, settings.mongodb_database, settings.bcrypt_rounds) == (8001, "user_service", 12)


@pytest.mark.parametrize("rounds", ["3", "17", "many"])
def test_refuses_a_cost_that_is_no_protection_or_takes_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rounds: str
) -> None:
    monkeypatch.setenv("BCRYPT_ROUNDS", rounds)

    with pytest.raises(SystemExit):
        load_settings(UserSettings)

    assert "Cannot start: BCRYPT_ROUNDS: " in capsys.readouterr().err
