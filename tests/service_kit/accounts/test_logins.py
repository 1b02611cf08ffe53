"""Logging in: what opens, and what looks the same from outside."""

import asyncio
import statistics
from time import perf_counter

import pytest
from pydantic import SecretStr

from service_kit.accounts.history import Origin
from service_kit.accounts.passwords import PasswordHasher
from tests.support.things.client import HAND, HEAD, Person, Things

NOBODY = Person("nobody@example.com", HEAD.password)


async def test_a_login_answers_tokens_that_open_what_the_role_may(things: Things) -> None:
    answer = await things.try_password(HEAD)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 600
    head = things.logged_in(answer)
    assert (await head.get("/things")).json() == []
    assert (await head.get("/now")).status_code == 200


@pytest.mark.parametrize("spelling", ["HEAD@Example.COM", "\uff48ead@example.com"])
async def test_an_address_counts_without_case_and_width(things: Things, spelling: str) -> None:
    assert (await things.try_password(Person(spelling, HEAD.password))).status_code == 200


async def refusal(things: Things, person: Person) -> dict[str, object]:
    answer = await things.try_password(person)
    assert answer.status_code == 401
    return {name: value for name, value in answer.json().items() if name != "request_id"}


async def test_unknown_inactive_expired_and_wrong_look_the_same(things: Things) -> None:
    await things.add_account(HAND, "hand")
    wrong = await refusal(things, Person(HAND.email, "not the password"))
    assert wrong["type"] == "urn:problem-type:bad-credentials"
    assert wrong["error"] == "invalid_grant"

    assert await refusal(things, NOBODY) == wrong
    await things.run("UPDATE accounts SET password_expires_at = now() - interval '1 s' WHERE email = :e", e=HAND.email)
    assert await refusal(things, HAND) == wrong
    await things.run("UPDATE accounts SET password_expires_at = NULL, is_active = false WHERE email = :e", e=HAND.email)
    assert await refusal(things, HAND) == wrong


STRANGE = [
    *(Person("", "x"), Person("no address", "long enough"), Person("a" * 100_000, "long enough")),
    *(Person("a\0b@example.com", "long enough"), Person(HEAD.email, "x" * 73), Person(HEAD.email, "a\0b")),
    *(Person(HEAD.email, "é" * 50_000), Person("' OR 1=1 --", "' OR 1=1 --"), Person("\ufffd@example.com", "x")),
]


@pytest.mark.parametrize("person", STRANGE, ids=range(len(STRANGE)))
async def test_what_no_account_can_have_is_simply_wrong(things: Things, person: Person) -> None:
    answer = await things.try_password(person)
    assert answer.status_code in {401, 422}
    assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_a_body_that_is_no_utf_8_is_simply_wrong(things: Things) -> None:
    answer = await things.client.post(
        "/auth/token",
        content=b"grant_type=password&username=%ff%fe%ed%a0%80&password=%ed%a0%80aaaaaaaaa",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": HEAD.email}, "invalid_request"),
        ({"grant_type": "password", "password": HEAD.password}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
    ],
)
async def test_an_incomplete_form_is_a_problem_with_the_error_of_oauth(
    things: Things, form: dict[str, str], error: str
) -> None:
    answer = await things.ask_for_tokens(form)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:problem-type:invalid-request"
    assert answer.json()["error"] == error


async def test_json_is_no_form(things: Things) -> None:
    answer = await things.client.post("/auth/token", json={"grant_type": "password"})
    assert answer.json()["error"] == "invalid_request"


async def test_a_login_and_a_refusal_stand_in_the_history(things: Things) -> None:
    account_id = await things.add_account(HAND, "hand")
    await things.try_password(HAND, "not the password")
    await things.log_in(HAND)
    await things.try_password(NOBODY)

    assert await things.happenings(account_id) == ["account-created", "login-refused", "logged-in"]
    assert (await things.happenings())[-1] == "login-refused"


async def test_nothing_secret_stands_in_the_history(things: Things) -> None:
    head = await things.log_in(HEAD)
    await things.try_password(HEAD, "not the password")
    rows = await things.value("SELECT string_agg(h::text, ' ') FROM account_history h")
    for secret in (HEAD.password, "not the password", head.access_token, head.refresh_token, "$2b$"):
        assert secret not in rows


async def test_a_login_hashes_anew_when_the_rounds_have_risen(things: Things) -> None:
    await things.log_in(HEAD)
    things.accounts.logins._hasher = stronger = PasswordHasher(5, threads=1)
    assert await things.value("SELECT password_hash FROM accounts") < "$2b$05$"

    await things.log_in(HEAD)

    assert (await things.value("SELECT password_hash FROM accounts")).startswith("$2b$05$")
    await things.log_in(HEAD)
    stronger.close()


async def test_an_account_has_at_most_20_living_sessions_of_which_the_oldest_ends(things: Things) -> None:
    first = await things.log_in(HEAD)
    second = await things.log_in(HEAD)
    await asyncio.gather(*(things.log_in(HEAD, f"192.0.2.{number}") for number in range(2, 21)))

    assert await things.living_sessions() == 20
    assert (await first.get("/now")).status_code == 401
    assert (await second.get("/now")).status_code == 200
    assert await things.value("SELECT end_reason FROM sessions WHERE ended_at IS NOT NULL") == "too-many"


async def test_a_login_that_meets_a_deactivation_begins_nothing(things: Things) -> None:
    account_id = await things.add_account(HAND, "hand")
    row, _ = await things.accounts.logins._found(HAND.email, "")
    verification = await things.accounts.hasher.verify(SecretStr(HAND.password), row.password_hash if row else None)
    await things.run("UPDATE accounts SET is_active = false WHERE id = :id", id=account_id)

    async with things.store.transaction() as session:
        assert await things.accounts.logins._begun(session, row, verification, Origin()) is None


async def test_unknown_inactive_and_wrong_last_the_same(things: Things) -> None:
    """Medians over many turns; a login that did not hash for an unknown address would take a fifth of the others."""
    things.accounts.logins._hasher = slow = PasswordHasher(8, threads=1)
    await things.run(
        "UPDATE accounts SET password_hash = :h", h=await slow.hash(SecretStr(HEAD.password))
    )  # of the same rounds
    inactive = await things.add_account(HAND, "hand")
    await things.run(
        "UPDATE accounts SET is_active = false, password_hash = (SELECT password_hash FROM accounts WHERE email = :e)"
        " WHERE id = :id",
        e=HEAD.email,
        id=inactive,
    )
    tries = {"wrong": Person(HEAD.email, "not it"), "unknown": NOBODY, "inactive": HAND}
    seconds: dict[str, list[float]] = {kind: [] for kind in tries}
    for turn in range(12):
        for kind, person in tries.items():  # in turns, so that what else the machine does meets all of them
            began = perf_counter()
            answer = await things.try_password(person, address=f"198.51.100.{turn}")
            seconds[kind].append(perf_counter() - began)
            assert answer.status_code == 401
    slow.close()
    medians = [statistics.median(taken) for taken in seconds.values()]
    assert max(medians) < 2 * min(medians), seconds
