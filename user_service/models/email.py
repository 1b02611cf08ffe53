"""E-mail addresses: which are taken, and when two are the same."""

import re
import unicodedata
from typing import Annotated, Final

from email_validator import validate_email
from pydantic import EmailStr, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

MAX_EMAIL_CHARACTERS: Final = 254
_AROUND: Final = re.compile(r"[\s<>]")
# What the format allows and we do not: no dot or a number at the end, an IP address, a name or quotes around the
# address, and the domains that no mail reaches (RFC 6761).
_REFUSED: Final = r"@[^.]*$|[0-9\]]$|[\s<>\"]|\.(arpa|invalid|local|localhost|onion|test)$"


def _as_given(address: str, validate: ValidatorFunctionWrapHandler) -> str:
    """The address as it was sent: `EmailStr` alone would change its spelling, and take `Ana <ana@example.com>`."""
    validate(address)
    if _AROUND.search(address):
        raise ValueError("Send the address alone: no name, no brackets and no blanks around it")
    return address


EmailAddress = Annotated[
    EmailStr,
    WrapValidator(_as_given),
    WithJsonSchema(
        {
            "type": "string",
            "format": "idn-email",
            "maxLength": MAX_EMAIL_CHARACTERS,
            "not": {"pattern": _REFUSED},
            "description": "Unique; case does not matter.",
        }
    ),
]


def email_key(address: str) -> str:
    """What two spellings of one address have in common: letters without case, one form of each accent.

    Args:
        address: A valid one.
    """
    parts = validate_email(address, check_deliverability=False)
    return f"{_without_case(parts.local_part)}@{parts.domain}"


def email_key_prefix(prefix: str) -> str:
    """What the keys of all addresses begin with that begin with `prefix`."""
    local, at, domain = prefix.partition("@")
    return _without_case(local) + at + unicodedata.normalize("NFC", domain.lower())


def _without_case(local: str) -> str:
    """Case-folded rather than in small letters: the small form of a Greek sigma depends on what follows it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())
