"""Addresses of servers as settings have them: checked, completed by an account, and judged.

Passwords stand in them: no message here quotes one.
"""

from typing import Final
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

_PUBLISHED: Final = frozenset({"services", "guest"})
"""docker-compose.yml's and RabbitMQ's own: whoever reads this repository knows them."""


def begins_with(*schemes: str) -> AfterValidator:
    """Refuses an address of another scheme."""

    def check(address: SecretStr) -> SecretStr:
        if not address.get_secret_value().startswith(schemes):
            message = f"begin it with {' or '.join(schemes)}"
            raise ValueError(message)
        return address

    return AfterValidator(check)


def readable_as(example: str) -> AfterValidator:
    """Refuses an address that does not come apart as `example` does."""

    def check(address: SecretStr) -> SecretStr:
        try:
            _ = urlsplit(address.get_secret_value()).port
        except ValueError:  # whose own words would quote a part of the password
            message = f"write it as {example}, the password's special characters percent-encoded"
            raise ValueError(message) from None
        return address

    return AfterValidator(check)


def with_account(address: SecretStr, user: str, password: SecretStr) -> SecretStr:
    """The address, with what it leaves out of user and password; these are written as they are, not percent-encoded."""
    before, account, after = _parts(address)
    named, _, secret = account.partition(":")
    named = named or quote(user, safe="")
    secret = secret or quote(password.get_secret_value(), safe="")
    if secret and not named:
        message = "name the user to whom the password belongs"
        raise ValueError(message)
    completed = f"{named}:{secret}" if secret else named
    return SecretStr(f"{before}{completed}@{after}" if completed else f"{before}{after}")


def account_of(address: SecretStr) -> tuple[str, str]:
    """User and password, each empty if the address does not name one."""
    _, account, _ = _parts(address)
    user, _, password = account.partition(":")
    return unquote(user), unquote(password)


def without_account(address: SecretStr) -> SecretStr:
    """The same server as a stranger reaches it: neither a user nor how one proves who one is."""
    before, _, after = _parts(address)
    place, mark, options = after.partition("?")
    kept = [option for option in options.split("&") if not option.lower().startswith("auth")]
    return SecretStr(f"{before}{place}{mark}{'&'.join(kept)}")


def is_known_to_everybody(user: str, password: str) -> bool:
    """Whether a password protects nothing: it is published, or no more than the user's name."""
    return password in _PUBLISHED or (password != "" and password == user)


def _parts(address: SecretStr) -> tuple[str, str, str]:
    """The scheme with its slashes, the account, and all after it: hosts (MongoDB allows several), path and options."""
    scheme, _, rest = address.get_secret_value().partition("://")
    ends = [rest.find(end) for end in "/?#" if end in rest]
    authority = rest[: min(ends, default=len(rest))]
    account, at, _ = authority.rpartition("@")
    return f"{scheme}://", account, rest[len(account) + len(at) :]
