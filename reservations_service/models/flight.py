"""Flights and their seats: how they are written, so that one seat has one spelling and is sold once."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from service_kit.fields.text import TextPattern
from service_kit.fields.timestamps import RFC_3339, rfc_3339

_TO_COME: Final = RFC_3339.replace("^[0-9]{4}-", "^(202[6-9]|20[3-9][0-9]|2[1-9][0-9]{2}|[3-9][0-9]{3})-")
"""Leaves out the years in which no departure is taken any more; which minute it is no schema can say."""


class Cabin(StrEnum):
    """Class of travel."""

    ECONOMY = "economy"
    PREMIUM_ECONOMY = "premium_economy"
    BUSINESS = "business"
    FIRST = "first"


FlightNumber = Annotated[
    str,
    TextPattern(
        r"^([A-Z]{2}|[A-Z][0-9]|[0-9][A-Z])[1-9][0-9]{0,3}$",
        "Write the airline's two signs and a number without leading zeros, in capitals, as in IB3170",
    ),
]
Airport = Annotated[
    str, TextPattern(r"^[A-Z]{3}$", "Write the three capital letters that IATA gave the airport, as in MAD")
]
Seat = Annotated[
    str, TextPattern(r"^[1-9][0-9]?[A-HJ-L]$", "Write the row and a capital letter other than I, as in 12C")
]


def _whole_minute(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC).replace(second=0, microsecond=0)
    except OverflowError:
        raise ValueError("No calendar has this instant in UTC") from None


Departure = Annotated[
    AwareDatetime,
    BeforeValidator(rfc_3339),
    AfterValidator(_whole_minute),
    Field(
        description="Not in the past. With its offset; kept in UTC, and to the minute, as timetables are.",
        json_schema_extra={"pattern": _TO_COME},
    ),
]
