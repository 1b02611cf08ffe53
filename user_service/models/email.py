"""E-mail addresses: which are taken, and when two are the same."""

import unicodedata
from typing import Annotated

from email_validator import validate_email
from pydantic import Field

from service_kit import email_addresses

EmailAddress = Annotated[email_addresses.EmailAddress, Field(description="Unique; case does not matter.")]


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
