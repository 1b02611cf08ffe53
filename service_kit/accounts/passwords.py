"""Where passwords are hashed: with bcrypt, in threads of their own.

A hash takes a quarter of a second of a core. The event loop goes on serving meanwhile, since bcrypt releases Python's
lock, and the threads step back behind it.
"""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar

from passlib.context import CryptContext
from pydantic import SecretStr

from service_kit.fields.password import MAX_BYTES
from service_kit.problems import ServiceError
from service_kit.resources import Resource

Result = TypeVar("Result")

_WAITING_PER_THREAD: Final = 32  # about eight seconds' work at 12 rounds: longer than that a caller should not wait
_NICENESS: Final = 10


class TooManyPasswordsError(ServiceError):
    """More passwords are waiting to be hashed than the service lets wait."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "too-many-passwords"

    def __init__(self) -> None:
        sentence = "Many passwords are being hashed at this moment. Try again in a few seconds."
        super().__init__(sentence, headers={"Retry-After": "5"})


def usable_cores() -> int:
    """Cores that this process may use."""
    count = getattr(os, "process_cpu_count", os.cpu_count)  # the first knows of affinity; Python 3.13
    return count() or 1


def _step_back() -> None:
    """Lower this thread's priority, so that a burst of sign-ups leaves reads their latency.

    Only Linux counts priorities by thread; elsewhere the same call would mean another process.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS))


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a password is the one that was hashed.

    Attributes:
        is_right: Whether it is.
        new_hash: To be stored instead, because the cost has risen since it was hashed.
    """

    is_right: bool
    new_hash: str | None = None


class PasswordHasher(Resource):
    """A bounded pool of threads that hash.

    Args:
        rounds: bcrypt's cost, 4 to 16.
        threads: As many passwords are hashed at once; 32 more may wait for each of them.
    """

    def __init__(self, rounds: int, *, threads: int) -> None:
        self._context = CryptContext(schemes=["bcrypt"], bcrypt__default_rounds=rounds, bcrypt__min_rounds=rounds)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="bcrypt", initializer=_step_back)
        self._places = threads * (1 + _WAITING_PER_THREAD)

    async def hash(self, password: SecretStr) -> str:
        """Hash one password with a salt of its own.

        Raises:
            TooManyPasswordsError: Too many are waiting (503).
        """
        return await self._in_thread(lambda: self._context.hash(password.get_secret_value()))

    async def verify(self, password: SecretStr, stored: str | None) -> Verification:
        """Hold a password against a hash. It takes as long if there is none, as for an account that is not there.

        Args:
            password: As it was typed; what no account can have is simply wrong.
            stored: The hash.

        Raises:
            TooManyPasswordsError: Too many are waiting (503).
        """
        return await self._in_thread(lambda: self._verification(password.get_secret_value(), stored))

    def _verification(self, password: str, stored: str | None) -> Verification:
        if stored is None or not _is_hashable(password):
            self._context.hash("")
            return Verification(is_right=False)
        is_right, new_hash = self._context.verify_and_update(password, stored)
        return Verification(is_right, new_hash)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        if self._places == 0:
            raise TooManyPasswordsError
        self._places -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hash while the block runs."""
        with closing(self):
            yield

    def close(self) -> None:
        """Forget what waits, and let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _is_hashable(password: str) -> bool:
    try:
        return "\0" not in password and len(password.encode()) <= MAX_BYTES
    except UnicodeEncodeError:  # half of a character
        return False
