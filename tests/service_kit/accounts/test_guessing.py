"""Guessing passwords: in parallel, from many addresses, and the owner logging in meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from service_kit.accounts.guessing import GuessLimits
from service_kit.limits.limiter import Limit
from tests.service_kit.accounts.conftest import serving
from tests.support.things.api import ThingsSettings
from tests.support.things.client import HAND, HEAD, Person, Things

WRONG = "not the password"


async def guesses(things: Things, person: Person, addresses: list[str]) -> list[int]:
    answers = await asyncio.gather(*(things.try_password(person, WRONG, address) for address in addresses))
    return [answer.status_code for answer in answers]


async def test_five_guesses_from_an_address_are_all_that_come_through(things: Things) -> None:
    statuses = await guesses(things, HEAD, ["192.0.2.9"] * 30)
    assert statuses.count(401) == 5
    assert statuses.count(429) == 25

    refused = await things.try_password(HEAD, address="192.0.2.9")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert refused.json()["type"] == "urn:problem-type:too-many-attempts"


async def test_an_unknown_address_is_refused_like_a_known_one(things: Things) -> None:
    nobody = Person("nobody@example.com", WRONG)
    assert [await guesses(things, nobody, ["192.0.2.9"]) for _ in range(6)] == [[401]] * 5 + [[429]]
    known = await things.try_password(HEAD, WRONG, "192.0.2.8")
    for _ in range(5):
        known = await things.try_password(HEAD, WRONG, "192.0.2.8")
    unknown = await things.try_password(nobody, WRONG, "192.0.2.9")
    assert {**known.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


async def test_another_spelling_of_an_address_is_the_same_account(things: Things) -> None:
    spellings = [HEAD.email, HEAD.email.upper(), "\uff48ead@example.com", "Head@example.com", "heaD@example.com"]
    for spelling in spellings:
        assert (await things.try_password(Person(spelling, WRONG))).status_code == 401
    assert (await things.try_password(HEAD)).status_code == 429


async def test_an_address_of_ipv6_counts_with_its_network(things: Things) -> None:
    statuses = await guesses(things, HEAD, [f"2001:db8:1:2::{number:x}" for number in range(1, 11)])
    assert statuses.count(401) == 5
    assert (await guesses(things, HEAD, ["2001:db8:1:3::1"])) == [401]


async def test_the_right_password_is_no_guess(things: Things) -> None:
    for _ in range(12):
        await things.log_in(HEAD)
    assert (await guesses(things, HEAD, ["192.0.2.1"] * 8)).count(401) == 5


@pytest.fixture
async def strict_things(settings: ThingsSettings) -> AsyncIterator[Things]:
    """A test need not try a hundred times to see that a limit is there."""
    limits = GuessLimits(address=Limit("login-address", 6, 3600), account=Limit("login-account", 8, 3600))
    async with serving(settings, limits) as things:
        yield things


async def test_an_address_may_not_try_many_accounts(strict_things: Things) -> None:
    people = [Person(f"p{number}@example.com", WRONG) for number in range(9)]
    statuses = [(await strict_things.try_password(person, WRONG, "192.0.2.9")).status_code for person in people]
    assert statuses == [401] * 6 + [429] * 3
    assert (await strict_things.try_password(HEAD)).status_code == 200


async def test_many_addresses_may_not_try_one_account_and_its_owner_logs_in_meanwhile(strict_things: Things) -> None:
    await strict_things.add_account(HAND, "hand")
    await strict_things.log_in(HEAD, "198.51.100.7")
    addresses = [f"203.0.113.{number}" for number in range(40)]

    answers, owner = await asyncio.gather(
        guesses(strict_things, HEAD, addresses), strict_things.try_password(HEAD, address="198.51.100.7")
    )

    assert answers.count(401) == 8
    assert answers.count(429) == 32
    assert owner.status_code == 200
    assert (await strict_things.try_password(HEAD, address="198.51.100.8")).status_code == 429, (
        "from where nobody knows it"
    )
    assert (await strict_things.try_password(HEAD, address="198.51.100.7")).status_code == 200
    assert (await strict_things.try_password(HAND, address="198.51.100.8")).status_code == 200


async def test_a_login_is_remembered_for_thirty_days(strict_things: Things) -> None:
    await strict_things.log_in(HEAD, "198.51.100.7")
    await strict_things.run("ALTER TABLE account_history DISABLE TRIGGER USER")
    await strict_things.run("UPDATE account_history SET at = at - interval '31 days'")
    await strict_things.run("ALTER TABLE account_history ENABLE TRIGGER USER")
    await guesses(strict_things, HEAD, [f"203.0.113.{number}" for number in range(8)])
    assert (await strict_things.try_password(HEAD, address="198.51.100.7")).status_code == 429


async def test_the_old_password_is_guessed_no_more_often_than_at_a_login(things: Things) -> None:
    head = await things.log_in(HEAD)
    change = {"old_password": WRONG, "new_password": "another gate stands open"}
    statuses = [(await head.call("PUT", "/auth/password", json=change)).status_code for _ in range(7)]
    assert statuses == [401] * 5 + [429] * 2
