"""Days of birth: written like 1990-05-17, not before 1900, and over."""

from datetime import date
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from service_kit.fields.text import with_message

_EARLIEST: Final = date(1900, 1, 1)
_SPELLING: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_PUBLISHED: Final = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
"""Of every day that is taken, and of later ones: JSON schema knows no yesterday."""


class _Past:
    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Take a date, or its text; neither the numbers nor the instants that pydantic would take for a date."""
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
