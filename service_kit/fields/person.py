"""What describes a person: names, telephone numbers, birth dates."""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from service_kit.fields.characters import visible_text_without
from service_kit.fields.text import Normalized, TextPattern, with_message

_BREAKS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"

PersonName = Annotated[
    str,
    Field(max_length=100, description="Blanks around it are cut off."),
    TextPattern(
        rf"^{visible_text_without(_BREAKS)}$",
        "Write at least one visible character, and no line breaks, tabs or invisible characters",
        stored=rf"[^{_BREAKS}]+",
    ),
    Normalized(strip_whitespace=True),
]
"""A name: one line with at least one visible character, without invisible ones."""

_E164: Final = r"^\+[1-9][0-9]{6,14}$"

# The pattern alone: only its network knows whether a number is in use. Libraries with the numbering plans take a
# hundred times as long, and refuse new ranges until their next release.
PhoneNumber = Annotated[
    str,
    TextPattern(_E164, "Write + and the country's code, then 7 to 15 digits in all, nothing between: +34600123456"),
    Field(description="E.164.", examples=["+34600123456"]),
]
"""A telephone number as in ITU-T E.164: with the country's code, and nothing between the digits."""

_EARLIEST: Final = date(1900, 1, 1)
_SPELLING: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PUBLISHED: Final = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
"""Matches every date that is accepted, and later ones: a JSON schema cannot say "before today"."""


class _Past:
    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Accept a date or its text, but not the numbers and timestamps that pydantic would accept as a date."""
        past = core_schema.date_schema(ge=_EARLIEST, now_op="past", now_utc_offset=0)
        text = core_schema.chain_schema([core_schema.str_schema(pattern=_SPELLING), past])
        strictly = core_schema.date_schema(ge=_EARLIEST, now_op="past", now_utc_offset=0, strict=True)
        either = core_schema.union_schema([strictly, text], mode="left_to_right")
        return with_message("Write a day from 1900-01-01 to yesterday, like 1990-05-17", either)


BirthDate = Annotated[
    date,
    _Past(),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date",
            "pattern": _PUBLISHED,
            "description": "From 1900-01-01 to yesterday.",
        }
    ),
]
"""A birth date as YYYY-MM-DD, from 1900 to yesterday."""
