"""Flights and their seats: how they are written, so that one seat has one spelling and is sold once."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from service_kit.spelling import Spelling

_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", flags=re.ASCII)


class Cabin(StrEnum):
    """Class of travel."""

    ECONOMY = "economy"
    PREMIUM_ECONOMY = "premium_economy"
    BUSINESS = "business"
    FIRST = "first"


FlightNumber = Annotated[
    str,
    Spelling(
        r"^([A-Z]{2}|[A-Z][0-9]|[0-9][A-Z])[1-9][0-9]{0,3}$",
        "Write the airline's two signs and a number without leading zeros, in capitals, as in IB3170",
    ),
]
Airport = Annotated[
    str, Spelling(r"^[A-Z]{3}$", "Write the three capital letters that IATA gave the airport, as in MAD")
]
Seat = Annotated[str, Spelling(r"^[1-9][0-9]?[A-HJ-L]$", "Write the row and a capital letter other than I, as in 12C")]


def rfc_3339(text: object) -> object:
    """Refuse the numbers and the bare days that pydantic would read as instants too."""
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError("Write it like 2026-12-24T10:30:00Z; a + in an address is spelled %2B")
    return text


def _whole_minute(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC).replace(second=0, microsecond=0)
    except OverflowError:
        raise ValueError("No calendar has this instant in UTC") from None


Departure = Annotated[
    AwareDatetime,
    BeforeValidator(rfc_3339),
    AfterValidator(_whole_minute),
    Field(description="With its offset; kept in UTC, and to the minute, as timetables are: seconds are cut off."),
]
