"""What loans_service reads from its environment."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from loans_service.money.currencies import MINOR_UNIT_DIGITS
from service_kit.accounts.settings import JwtSettings
from service_kit.settings.process import ApiSettings
from service_kit.settings.stores import PostgresSettings

_EXAMPLE: Final = "MXN:100000 USD:5000"


def _by_currency(value: Any) -> Any:  # noqa: ANN401 - text of the environment, or what a test gives
    """Read `MXN:100000 USD:5000`."""
    if not isinstance(value, str):
        return value
    pairs = [pair.partition(":") for pair in value.split()]
    if any(currency not in MINOR_UNIT_DIGITS or not amount for currency, _, amount in pairs):
        raise ValueError(f"write currencies in which loans are made, each with an amount: {_EXAMPLE}")
    return {currency: amount for currency, _, amount in pairs}


def _zone(value: Any) -> Any:  # noqa: ANN401 - text of the environment, or what a test gives
    try:
        return ZoneInfo(value) if isinstance(value, str) else value
    except (KeyError, ValueError, OSError):  # unknown, or no name at all
        raise ValueError("write a time zone of the IANA database, like America/Mexico_City") from None


AmountByCurrency = Annotated[
    dict[str, Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]], NoDecode, BeforeValidator(_by_currency)
]


class LoansSettings(ApiSettings, PostgresSettings, JwtSettings):
    """Settings of loans_service; `.env.example` lists them."""

    service: ClassVar[str] = "loans_service"

    port: int = Field(8007, ge=0, le=65535)
    database_name: str = Field("loans_service", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)] = Field(
        ZoneInfo("America/Mexico_City"), description="Where the lender's day begins."
    )
    second_approval_above: AmountByCurrency = Field(
        {"MXN": Decimal(100_000), "USD": Decimal(5_000)},
        description="A loan of more needs two administrators; one is enough in a currency that is not here.",
    )
