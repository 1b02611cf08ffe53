import pytest

from orders_service.config.settings import OrdersSettings
from service_kit.settings import load_settings


@pytest.fixture(autouse=True)
def _without_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("without_env_file"))
    for name in ("PORT", "MONGODB_DATABASE", "CANCELLATION_WINDOW_MINUTES"):
        monkeypatch.delenv(name, raising=False)


def test_has_its_own_port_and_database() -> None:
    settings = load_settings(OrdersSettings)

    assert (settings.port, settings.mongodb_database, settings.cancellation_window_minutes) == (
        8002,
        "orders_service",
        30,
    )


@pytest.mark.parametrize("minutes", ["-1", "525601", "soon"])
def test_refuses_a_cancellation_window_that_no_date_can_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], minutes: str
) -> None:
    monkeypatch.setenv("CANCELLATION_WINDOW_MINUTES", minutes)

    with pytest.raises(SystemExit):
        load_settings(OrdersSettings)

    assert "Cannot start: CANCELLATION_WINDOW_MINUTES: " in capsys.readouterr().err
