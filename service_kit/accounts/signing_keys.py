"""The keys that sign tokens: `JWT_KEYS=kid:base64,kid:base64`. The first signs, all verify, so that they rotate."""

import base64
import binascii
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import SecretStr

MIN_KEY_BYTES: Final = 32
"""What HS256 must have at least (RFC 7518, 3.2)."""

_KID: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_MADE_BYTES: Final = 48

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys.

    Attributes:
        kid: Names the one that signs.
        by_kid: All of them.
    """

    kid: str
    by_kid: Mapping[str, bytes] = field(repr=False)

    @property
    def signing(self) -> bytes:
        """The one that signs."""
        return self.by_kid[self.kid]


def signing_keys_in(setting: SecretStr) -> SigningKeys:
    """Read the setting.

    Raises:
        ValueError: With a sentence that quotes no key.
    """
    keys: dict[str, bytes] = {}
    for number, text in enumerate(filter(None, map(str.strip, setting.get_secret_value().split(","))), start=1):
        kid, key = _key_in(text, number)
        if kid in keys:
            raise ValueError(f"two keys are named {kid}")
        keys[kid] = key
    if not keys:
        raise ValueError("name at least one key")
    return SigningKeys(next(iter(keys)), keys)


def _key_in(text: str, number: int) -> tuple[str, bytes]:
    kid, colon, encoded = text.partition(":")
    if not colon or not _KID.fullmatch(kid):
        raise ValueError(f"write key {number} as kid:base64, the kid of letters, digits, dots, hyphens and underscores")
    standard = encoded.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except binascii.Error:
        raise ValueError(f"key {number} is no base64") from None
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"key {number} has less than {MIN_KEY_BYTES} bytes: the command new-key makes a good one")
    return kid, key


def new_key(now: datetime) -> str:
    """A key as the setting takes it, named by its day."""
    name = f"{now:%Y-%m-%d}-{secrets.token_hex(2)}"
    return f"{name}:{base64.b64encode(secrets.token_bytes(_MADE_BYTES)).decode()}"


def development_keys(path: Path, now: datetime) -> SigningKeys:
    """The keys in a file, which is made if it is missing: so tokens outlive a restart during development.

    Where nothing can be written, as in a container, the key is in memory alone.
    """
    if not path.exists():
        made = new_key(now)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_once(path, made)
        except OSError as error:
            log.warning(
                "jwt_key_in_memory", error=str(error), hint="Tokens are over when this ends, unless JWT_KEYS is set."
            )
            return signing_keys_in(SecretStr(made))
    return signing_keys_in(SecretStr(path.read_text()))


def _write_once(path: Path, text: str) -> None:
    """Whole, or not at all, by one of those who start together; readable for its owner alone."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.link(draft, path)  # fails where another one was faster, and never shows half a file
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink(missing_ok=True)
