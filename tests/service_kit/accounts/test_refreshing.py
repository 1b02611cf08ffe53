"""Refreshing: one successor, the same for a little while, and the end of a session that was stolen."""

import asyncio

import pytest
from pydantic import SecretStr

from service_kit.accounts.refresh_tokens import RefreshTokens, refresh_token_in
from service_kit.accounts.signing_keys import signing_keys_in
from tests.service_kit.accounts.conftest import KEYS, OTHER_KEYS, serving
from tests.support.things.api import ThingsSettings
from tests.support.things.client import HEAD, Things

LATER = "UPDATE sessions SET rotated_at = rotated_at - interval '11 s'"


async def test_a_refresh_answers_a_pair_that_works(things: Things) -> None:
    head = await things.log_in(HEAD)
    answer = await things.refresh(head.refresh_token)
    assert answer.status_code == 200
    again = things.logged_in(answer)
    assert again.refresh_token != head.refresh_token
    assert (await again.get("/now")).status_code == 200
    assert (await things.refresh(again.refresh_token)).status_code == 200
    assert await things.living_sessions() == 1


async def test_fifty_at_once_get_one_successor(things: Things) -> None:
    head = await things.log_in(HEAD)
    answers = await asyncio.gather(*(things.refresh(head.refresh_token) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await things.living_sessions() == 1
    assert await things.value("SELECT generation FROM sessions") == 2


async def test_the_one_before_gets_the_same_successor_for_ten_seconds(things: Things) -> None:
    head = await things.log_in(HEAD)
    successor = (await things.refresh(head.refresh_token)).json()["refresh_token"]
    assert (await things.refresh(head.refresh_token)).json()["refresh_token"] == successor


async def test_after_ten_seconds_a_replay_ends_the_session(things: Things) -> None:
    head = await things.log_in(HEAD)
    successor = things.logged_in(await things.refresh(head.refresh_token))
    await things.run(LATER)

    answer = await things.refresh(head.refresh_token)

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:problem-type:refresh-reused"
    assert answer.json()["error"] == "invalid_grant"
    assert (await successor.get("/now")).status_code == 401
    assert (await things.refresh(successor.refresh_token)).status_code == 401
    assert (await things.happenings())[-1] == "refresh-reused"
    assert await things.value("SELECT end_reason FROM sessions") == "refresh-reused"


async def test_a_generation_that_is_older_still_ends_the_session_at_once(things: Things) -> None:
    head = await things.log_in(HEAD)
    second = (await things.refresh(head.refresh_token)).json()["refresh_token"]
    await things.refresh(second)
    assert (await things.refresh(head.refresh_token)).json()["type"] == "urn:problem-type:refresh-reused"
    assert await things.living_sessions() == 0


async def test_a_theft_ends_one_session_and_no_other(things: Things) -> None:
    head, other = await things.log_in(HEAD), await things.log_in(HEAD)
    await things.refresh(head.refresh_token)
    await things.run(LATER)
    await things.refresh(head.refresh_token)
    assert (await other.get("/now")).status_code == 200


def foreign(token: str) -> list[str]:
    """Of the same session and generation, none of them ours."""
    parsed = refresh_token_in(token)
    assert parsed is not None
    stranger = RefreshTokens(signing_keys_in(SecretStr(OTHER_KEYS)))
    return [
        stranger.make(parsed.session_id, parsed.generation, b"salt"),
        f"rt_{parsed.session_id.hex}_{parsed.generation + 1}_{parsed.mac}",
        f"rt_{parsed.session_id.hex}_{parsed.generation}_{'A' * 43}",
    ]


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_a_mac_that_is_not_ours_ends_nothing(things: Things, which: int) -> None:
    head = await things.log_in(HEAD)
    answer = await things.refresh(foreign(head.refresh_token)[which])
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:problem-type:token-invalid"
    assert (await head.get("/now")).status_code == 200
    assert (await things.refresh(head.refresh_token)).status_code == 200


GARBAGE = [
    "x",
    "rt_",
    "rt_1_2_3",
    "rt_" + "0" * 32 + "_0_" + "A" * 43,
    "\0",
    "é" * 1000,
    "rt_" + "0" * 32 + "_1_" + "A" * 43,
]


@pytest.mark.parametrize("token", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_is_a_plain_401(things: Things, token: str) -> None:
    answer = await things.refresh(token)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:problem-type:token-invalid")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sessions SET idle_ends_at = now() - interval '1 s'",
        "UPDATE sessions SET ends_at = now() - interval '1 s'",
        "UPDATE sessions SET ended_at = now(), end_reason = 'logged-out'",
        "UPDATE accounts SET is_active = false",
        "DELETE FROM accounts",
    ],
)
async def test_a_session_that_is_over_is_not_refreshed_and_opens_nothing(things: Things, statement: str) -> None:
    head = await things.log_in(HEAD)
    await things.run(statement)
    assert (await things.refresh(head.refresh_token)).status_code == 401
    assert (await head.get("/now")).status_code == 401


async def test_use_moves_the_idle_end_and_never_the_absolute_one(things: Things) -> None:
    head = await things.log_in(HEAD)
    await things.run(
        "UPDATE sessions SET last_used_at = now() - interval '2 days', idle_ends_at = now() + interval '12 days'"
    )
    ends_at = await things.value("SELECT ends_at FROM sessions")
    await head.get("/things")
    assert await things.value("SELECT idle_ends_at > now() + interval '13 days' FROM sessions")
    assert await things.value("SELECT last_used_at > now() - interval '61 s' FROM sessions")
    assert await things.value("SELECT ends_at FROM sessions") == ends_at


async def test_tokens_live_on_while_their_key_is_listed(settings: ThingsSettings) -> None:
    async with serving(settings) as things:
        head = await things.log_in(HEAD)
    both = settings.model_copy(update={"jwt_keys": SecretStr(f"{OTHER_KEYS},{KEYS}")})
    async with serving(both) as things:
        head.client = things.client
        assert (await head.get("/now")).status_code == 200
        renewed = things.logged_in(await things.refresh(head.refresh_token))
    new_alone = settings.model_copy(update={"jwt_keys": SecretStr(OTHER_KEYS)})
    async with serving(new_alone) as things:
        head.client = renewed.client = things.client
        assert (await head.get("/now")).status_code == 401
        assert (await renewed.get("/now")).status_code == 200
        assert (await things.refresh(renewed.refresh_token)).status_code == 200
