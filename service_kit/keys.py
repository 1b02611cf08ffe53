"""Keys that a caller shows, held against those of the settings."""

from collections.abc import Sequence
from secrets import compare_digest

from pydantic import SecretStr


def keys_in(setting: SecretStr) -> list[str]:
    """The keys in a setting, which commas separate, so that they rotate; none means that anybody may call."""
    return [key.strip() for key in setting.get_secret_value().split(",") if key.strip()]


def is_one_of(keys: Sequence[str], sent: bytes) -> bool:
    """Compare with every key, always: the time taken tells nothing of which was near."""
    return sum(compare_digest(key.encode(), sent) for key in keys) > 0
