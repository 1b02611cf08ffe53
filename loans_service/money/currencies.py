"""The currencies in which loans are made, with the decimals that ISO 4217 gives them."""

from decimal import Decimal
from typing import Final

MINOR_UNIT_DIGITS: Final = {
    **dict.fromkeys(("MXN", "USD", "EUR", "COP", "PEN", "ARS", "BRL", "BOB", "CRC", "DOP", "GTQ", "UYU"), 2),
    **dict.fromkeys(("CLP", "PYG"), 0),
}


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 MXN, 1 CLP.

    Raises:
        KeyError: No loans are made in this currency.
    """
    return Decimal(1).scaleb(-MINOR_UNIT_DIGITS[currency])
