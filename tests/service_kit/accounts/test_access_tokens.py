"""Tokens that nobody should accept."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from pydantic import SecretStr

from service_kit.accounts.access_tokens import AccessTokens
from service_kit.accounts.signing_keys import signing_keys_in
from service_kit.clock import utc_now
from tests.service_kit.accounts.conftest import KEYS, OTHER_KEYS
from tests.support.things.client import HEAD, Login, Things

SIGNING = signing_keys_in(SecretStr(KEYS))
HEADER = {"typ": "at+jwt", "kid": SIGNING.kid}
CLAIMS = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]


async def is_accepted(things: Things, token: str) -> bool:
    answer = await Login(things.client, token, "").get("/now")
    if answer.status_code == 200:
        return True
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:problem-type:token-invalid"
    assert answer.headers["www-authenticate"] == "Bearer"
    return False


@pytest.fixture
async def claims(things: Things) -> dict[str, Any]:
    """Of a token that is accepted."""
    head = await things.log_in(HEAD)
    claims: dict[str, Any] = jwt.decode(head.access_token, options={"verify_signature": False})
    assert await is_accepted(things, signed(claims))
    return claims


def signed(claims: dict[str, Any], key: bytes = SIGNING.signing, alg: str = "HS256", **header: object) -> str:
    return jwt.encode(claims, key, alg, {**HEADER, **header})


def spelled(header: object, claims: object, signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    return ".".join([*parts, signature])


async def test_a_token_is_as_rfc_9068_has_it(things: Things) -> None:
    head = await things.log_in(HEAD)
    header = jwt.get_unverified_header(head.access_token)
    assert header == {"alg": "HS256", "typ": "at+jwt", "kid": SIGNING.kid}
    claims = jwt.decode(head.access_token, options={"verify_signature": False})
    assert set(claims) == set(CLAIMS)
    assert claims["iss"] == claims["aud"] == "things_service"
    assert claims["exp"] - claims["iat"] == 600
    assert "role" not in claims


async def test_refuses_a_token_without_a_signature(things: Things, claims: dict[str, Any]) -> None:
    for alg in ("none", "None", "NONE", ""):
        assert not await is_accepted(things, spelled({**HEADER, "alg": alg}, claims)), alg


async def test_refuses_another_algorithm_with_our_key(things: Things, claims: dict[str, Any]) -> None:
    for alg in ("HS384", "HS512"):
        assert not await is_accepted(things, signed(claims, alg=alg)), alg


async def test_refuses_a_signature_of_another_key(things: Things, claims: dict[str, Any]) -> None:
    other = signing_keys_in(SecretStr(OTHER_KEYS))
    assert not await is_accepted(things, signed(claims, other.signing))
    assert not await is_accepted(things, signed(claims, other.signing, kid=other.kid))


async def test_refuses_a_key_that_is_not_ours(things: Things, claims: dict[str, Any]) -> None:
    _, _, signature = signed(claims).split(".")
    for kid in ("", "unknown", "../../etc/passwd", None, 1, ["a"], {"a": 1}):
        token = spelled({**HEADER, "alg": "HS256", "kid": kid}, claims, signature)
        assert not await is_accepted(things, token), kid


async def test_reads_no_key_that_a_header_brings(things: Things, claims: dict[str, Any]) -> None:
    own = base64.urlsafe_b64encode(b"k" * 32).decode()
    jwk = {"kty": "oct", "k": own, "kid": SIGNING.kid}
    assert not await is_accepted(things, signed(claims, b"k" * 32, jwk=jwk, jku="http://127.0.0.1:1/", x5u="http://x"))


async def test_refuses_another_type(things: Things, claims: dict[str, Any]) -> None:
    for typ in ("JWT", "jwt", "at+JWT", "application/at+jwt", "rt+jwt", None, 1):
        assert not await is_accepted(things, signed(claims, typ=typ)), typ


async def test_requires_every_claim(things: Things, claims: dict[str, Any]) -> None:
    for claim in CLAIMS:
        others = {name: value for name, value in claims.items() if name != claim}
        assert not await is_accepted(things, signed(others)), claim


WRONG = [
    *(("iss", "orders_service"), ("aud", "orders_service"), ("aud", ["things_service"]), ("aud", "")),
    *(("sub", str(uuid4())), ("sub", "x"), ("sid", str(uuid4())), ("sid", 7), ("sid", None), ("sid", "x")),
    *(("exp", 1), ("exp", "soon"), ("exp", None), ("iat", 4_102_444_800), ("iat", "now"), ("nbf", 4_102_444_800)),
    *(("exp", [1]), ("jti", 7)),
]


async def test_refuses_a_wrong_claim(things: Things, claims: dict[str, Any]) -> None:
    for claim, value in WRONG:
        assert not await is_accepted(things, signed({**claims, claim: value})), (claim, value)


NO_TOKENS = [
    "",
    "x",
    "a.b.c",
    "....",
    "é.é.é",
    "x" * 100_000,
    spelled([1], [2], "AA"),
    "eyJhbGciOiJIUzI1NiJ9.e30.",
    "[[" * 2000,
]


async def test_refuses_what_is_no_token(things: Things) -> None:
    for token in NO_TOKENS:
        headers = [(b"authorization", b"Bearer " + token.encode("latin-1"))]
        assert (await things.client.get("/now", headers=headers)).status_code == 401, token[:20]


async def test_refuses_nested_arrays_without_an_end(things: Things) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2900).decode()
    assert not await is_accepted(things, f"{deep}.e30.AA")


async def test_refuses_a_token_that_is_longer_than_4_kilobytes(things: Things, claims: dict[str, Any]) -> None:
    assert not await is_accepted(things, signed({**claims, "more": "x" * 4096}))


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
async def test_refuses_another_scheme(things: Things, scheme: str) -> None:
    head = await things.log_in(HEAD)
    answer = await things.client.get("/now", headers={"Authorization": f"{scheme} {head.access_token}".strip()})
    assert answer.status_code == 401


async def test_a_refresh_token_is_no_access_token_nor_the_other_way_round(things: Things) -> None:
    head = await things.log_in(HEAD)
    assert not await is_accepted(things, head.refresh_token)
    assert (await things.refresh(head.access_token)).status_code == 401


async def test_a_token_is_over_after_ten_minutes(things: Things) -> None:
    head = await things.log_in(HEAD)
    claims = jwt.decode(head.access_token, options={"verify_signature": False})
    then = utc_now() - timedelta(minutes=10, seconds=1)
    old = AccessTokens(SIGNING, "things_service").make(*map_ids(claims), then)
    young = AccessTokens(SIGNING, "things_service").make(*map_ids(claims), then + timedelta(seconds=30))
    assert not await is_accepted(things, old)
    assert await is_accepted(things, young)


def map_ids(claims: dict[str, Any]) -> tuple[Any, Any]:
    return claims["sub"], claims["sid"]


def test_a_clock_that_is_a_little_ahead_signs_good_tokens() -> None:
    tokens, now = AccessTokens(SIGNING, "things_service"), datetime.now(UTC)
    ahead = tokens.make(uuid4(), uuid4(), now + timedelta(seconds=30))
    assert tokens.read(ahead, now)
