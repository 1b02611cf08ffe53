"""Telephone numbers as ITU-T E.164 has them: with the country's code, and nothing between the digits."""

from typing import Annotated, Final

from pydantic import Field

from service_kit.fields.text import TextPattern

_PATTERN: Final = r"^\+[1-9][0-9]{6,14}$"

# The pattern alone: whether a number is in use only its network knows, and the libraries that know the numbering plans
# take a hundred times as long, and refuse new ranges until their next release.
PhoneNumber = Annotated[
    str,
    TextPattern(_PATTERN, "Write + and the country's code, then 7 to 15 digits in all, nothing between: +34600123456"),
    Field(description="E.164.", examples=["+34600123456"]),
]
