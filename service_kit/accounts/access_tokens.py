"""Access tokens: JWTs (RFC 9068) that one service signs and reads itself, with HS256 alone.

A token names an account and a session; what the account may is read with each request. Every claim is required, the
algorithm is pinned, and a key is only looked up among ours: what a header says of others is not read (RFC 8725).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import jwt

from service_kit.accounts.caller import TokenInvalidError
from service_kit.accounts.signing_keys import SigningKeys

LIFETIME: Final = timedelta(minutes=10)

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_MAX_BYTES: Final = 4096
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
_CLOCKS_APART: Final = timedelta(minutes=1)
"""A replica whose clock is ahead may have signed it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token says."""

    account_id: UUID
    session_id: UUID


class AccessTokens:
    """Makes and reads the tokens of one service.

    Args:
        keys: Sign and verify.
        service: Its name, which is both issuer and audience.
    """

    def __init__(self, keys: SigningKeys, service: str) -> None:
        self._keys = keys
        self._service = service

    def make(self, account_id: UUID, session_id: UUID, now: datetime) -> str:
        """A token that is good for ten minutes."""
        claims = {
            "iss": self._service,
            "aud": self._service,
            "sub": str(account_id),
            "sid": str(session_id),
            "jti": uuid4().hex,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        headers = {"typ": _TYPE, "kid": self._keys.kid}
        return jwt.encode(claims, self._keys.signing, _ALGORITHM, headers)

    def read(self, token: str, now: datetime) -> AccessToken:
        """Take a token apart that is ours and valid now.

        Raises:
            TokenInvalidError: It is not (401).
        """
        if len(token) > _MAX_BYTES:
            raise TokenInvalidError
        try:
            claims = self._claims(token)
            if claims["iat"] > (now + _CLOCKS_APART).timestamp():
                raise TokenInvalidError
            return AccessToken(UUID(claims["sub"]), UUID(claims["sid"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
            raise TokenInvalidError from None

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("typ") != _TYPE:
            raise TokenInvalidError
        return jwt.decode(
            token,
            self._keys.by_kid[header["kid"]],
            algorithms=[_ALGORITHM],
            audience=self._service,
            issuer=self._service,
            options={"require": _CLAIMS, "strict_aud": True, "verify_iat": False},
        )
