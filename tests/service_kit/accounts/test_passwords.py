import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from passlib.context import CryptContext
from pydantic import SecretStr

from service_kit.accounts.passwords import PasswordHasher, TooManyPasswordsError, Verification, usable_cores

BCRYPT = CryptContext(schemes=["bcrypt"])
LONGEST = SecretStr("ñ" * 36)


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    with closing(PasswordHasher(4, threads=1)) as hasher:
        yield hasher


async def test_hashes_with_bcrypt_at_the_given_cost(hasher: PasswordHasher) -> None:
    hashed = await hasher.hash(LONGEST)

    assert hashed.startswith("$2b$04$")
    assert BCRYPT.verify("ñ" * 36, hashed)
    assert not BCRYPT.verify("ñ" * 35, hashed)


async def test_gives_each_hash_a_salt_of_its_own(hasher: PasswordHasher) -> None:
    assert await hasher.hash(LONGEST) != await hasher.hash(LONGEST)


async def test_lets_33_passwords_wait_for_a_thread_and_refuses_the_next(hasher: PasswordHasher) -> None:
    outcomes = await asyncio.gather(*(hasher.hash(LONGEST) for _ in range(40)), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, TooManyPasswordsError)]
    assert len(refused) == 7
    assert refused[0].headers["Retry-After"]


async def test_takes_passwords_again_after_a_burst(hasher: PasswordHasher) -> None:
    await asyncio.gather(*(hasher.hash(LONGEST) for _ in range(40)), return_exceptions=True)

    assert await hasher.hash(LONGEST)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
async def test_steps_back_behind_the_event_loop(hasher: PasswordHasher) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    await hasher.hash(LONGEST)
    [thread] = hasher._pool._threads

    assert os.getpriority(os.PRIO_PROCESS, thread.native_id or 0) > before
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_uses_at_least_one_core() -> None:
    assert usable_cores() >= 1


async def test_verifies_a_password_and_no_other(hasher: PasswordHasher) -> None:
    stored = await hasher.hash(LONGEST)
    assert await hasher.verify(LONGEST, stored) == Verification(is_right=True)
    for wrong in (
        SecretStr("ñ" * 35),
        SecretStr("ñ" * 36 + "x"),
        SecretStr("a\0b"),
        SecretStr(""),
        SecretStr("\ud800"),
    ):
        assert not (await hasher.verify(wrong, stored)).is_right


async def test_nothing_is_the_password_of_an_account_that_is_not_there(hasher: PasswordHasher) -> None:
    assert await hasher.verify(SecretStr(""), None) == Verification(is_right=False)


async def test_hashes_anew_when_the_cost_has_risen_and_not_when_it_fell(hasher: PasswordHasher) -> None:
    with closing(PasswordHasher(5, threads=1)) as stronger:
        renewed = await stronger.verify(LONGEST, await hasher.hash(LONGEST))
        assert (renewed.new_hash or "").startswith("$2b$05$")
        assert (await hasher.verify(LONGEST, await stronger.hash(LONGEST))).new_hash is None
        assert (await stronger.verify(SecretStr("not it"), await hasher.hash(LONGEST))).new_hash is None
