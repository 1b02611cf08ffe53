import pytest

from reservations_service.config.settings import ReservationsSettings
from service_kit.settings import load_settings


@pytest.fixture(autouse=True)
def _without_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("without_env_file"))
    for name in ("PORT", "DATABASE_NAME", "HOLD_MINUTES"):
        monkeypatch.delenv(name, raising=False)


def test_has_its_own_port_and_database() -> None:
    settings = load_settings(ReservationsSettings)

    assert (settings.port, settings.database_name, settings.hold_minutes) == (8005, "reservations_service", 15)


@pytest.mark.parametrize("minutes", ["0", "-1", "10081", "soon"])
def test_refuses_a_hold_that_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    monkeypatch.setenv("HOLD_MINUTES", minutes)

    with pytest.raises(SystemExit):
        load_settings(ReservationsSettings)

    assert "Cannot start: HOLD_MINUTES: " in capsys.readouterr().err
