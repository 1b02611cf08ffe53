"""Refresh tokens, `rt_<session id>_<n>_<mac>`: of which nothing is stored that anybody could use.

The mac is an HMAC-SHA-256 over the session, the number of the generation and the session's random salt. So each
generation of a session can be told from garbage, also one that was replaced long ago.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from service_kit.accounts.signing_keys import SigningKeys

_TOKEN: Final = re.compile(r"rt_([0-9a-f]{32})_([1-9][0-9]{0,8})_([A-Za-z0-9_-]{43})")
_PURPOSE: Final = b"refresh"
"""What no JWT begins with, which the same keys sign."""


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A token as somebody has sent it; whether it is ours, `is_ours` says."""

    session_id: UUID
    generation: int
    mac: str


def refresh_token_in(text: str) -> RefreshToken | None:
    """Take it apart; None of what does not look like one."""
    found = _TOKEN.fullmatch(text)
    return RefreshToken(UUID(found[1]), int(found[2]), found[3]) if found else None


class RefreshTokens:
    """Makes and checks them."""

    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def make(self, session_id: UUID, generation: int, salt: bytes) -> str:
        """The token of a generation: always the same, while the same key signs."""
        return f"rt_{session_id.hex}_{generation}_{_mac(self._keys.signing, session_id, generation, salt)}"

    def is_ours(self, token: RefreshToken, salt: bytes) -> bool:
        """Whether one of our keys has made it."""
        macs = [_mac(key, token.session_id, token.generation, salt) for key in self._keys.by_kid.values()]
        return sum(hmac.compare_digest(mac, token.mac) for mac in macs) > 0


def _mac(key: bytes, session_id: UUID, generation: int, salt: bytes) -> str:
    message = b"".join([_PURPOSE, session_id.bytes, generation.to_bytes(8), salt])
    return base64.urlsafe_b64encode(hmac.digest(key, message, "sha256")).rstrip(b"=").decode()
