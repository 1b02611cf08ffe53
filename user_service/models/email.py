"""E-mail addresses: which are taken, and when two are the same."""

import unicodedata
from typing import Annotated

from email_validator import validate_email
from pydantic import Field

from service_kit.fields import email as email_addresses
from service_kit.fields.email import same_letters

EmailAddress = Annotated[email_addresses.EmailAddress, Field(description="Unique; case and width do not matter.")]


def email_key(address: str) -> str:
    """What two spellings of one address have in common, which nobody can tell apart by eye.

    Args:
        address: A valid one, or one that was valid once.
    """
    parts = validate_email(address, check_deliverability=False)
    return f"{same_letters(parts.local_part)}@{parts.domain}"


def email_key_prefix(prefix: str) -> str:
    """What the keys of all addresses begin with that begin with `prefix`."""
    local, at, domain = prefix.partition("@")
    return same_letters(local) + at + unicodedata.normalize("NFKC", domain.lower())
