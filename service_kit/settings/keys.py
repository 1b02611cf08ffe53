"""Keys that a caller shows, held against those of the settings."""

from collections.abc import Mapping, Sequence
from hashlib import scrypt
from secrets import compare_digest
from typing import Final

from pydantic import SecretStr

_SALT: Final = b"service_kit.keys.identities"  # never another one: orders are stored with what it gives
_COST: Final = 2**12
_IDENTITY_BYTES: Final = 16


def keys_in(setting: SecretStr) -> list[str]:
    """The keys in a setting, which commas separate, so that they rotate; none means that anybody may call."""
    return [key.strip() for key in setting.get_secret_value().split(",") if key.strip()]


def is_one_of(keys: Sequence[str], sent: bytes) -> bool:
    """Compare with every key, always: the time taken tells nothing of which was near."""
    return sum(compare_digest(key.encode(), sent) for key in keys) > 0


def identities(keys: Sequence[str]) -> Mapping[bytes, str]:
    """Who sends each key, as it may be stored: the same in every replica, and of no use to find the key.

    Slow on purpose, some 10 ms a key, which guessing then costs too: so it is done once, at the start.
    """
    return {
        key.encode(): scrypt(key.encode(), salt=_SALT, n=_COST, r=8, p=1, dklen=_IDENTITY_BYTES).hex() for key in keys
    }


class KeyIdentities:
    """Finds the identity of the key that a request has; None where anybody may call."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._identities = identities(keys)

    def of(self, sent: bytes) -> str | None:
        return self._identities.get(sent)
