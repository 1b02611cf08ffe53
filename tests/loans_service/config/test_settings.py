from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from loans_service.config.settings import LoansSettings
from service_kit.settings.environment import load_settings


def test_reads_what_the_example_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for line in Path("loans_service/.env.example").read_text().splitlines():
        if not line.startswith("#"):
            name, _, value = line.partition("=")
            monkeypatch.setenv(name, value)
    settings = load_settings(LoansSettings)

    assert settings.model_dump() == LoansSettings(environment="development").model_dump()


def test_reads_amounts_by_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_APPROVAL_ABOVE", "CLP:5000000 EUR:0.5")

    assert LoansSettings().second_approval_above == {"CLP": Decimal(5_000_000), "EUR": Decimal("0.5")}


@pytest.mark.parametrize("value", ["JPY:5", "MXN", "MXN:", "MXN:NaN", "MXN:-1", "MXN=5", "5"])
def test_refuses_amounts_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SECOND_APPROVAL_ABOVE", value)

    with pytest.raises(ValidationError):
        LoansSettings()


@pytest.mark.parametrize("value", ["Mars/Olympus", "../../etc/passwd", "", "UTC+99"])
def test_refuses_zones_that_are_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TIME_ZONE", value)
    if value:
        with pytest.raises(ValidationError):
            LoansSettings()
    else:
        assert LoansSettings().time_zone.key == "America/Mexico_City"


def test_needs_keys_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")

    with pytest.raises(ValidationError, match="set JWT_KEYS"):
        LoansSettings()
