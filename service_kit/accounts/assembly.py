"""The accounts of a running service: all their parts, joined once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from service_kit.accounts.access_tokens import AccessTokens
from service_kit.accounts.callers import Callers
from service_kit.accounts.first_accounts import FirstAccounts, FirstAccountsMissingError, require_unpublished
from service_kit.accounts.guessing import Guesses, GuessLimits
from service_kit.accounts.housekeeping import Housekeeping
from service_kit.accounts.listing import Listing
from service_kit.accounts.logins import Logins
from service_kit.accounts.management import AccountManagement
from service_kit.accounts.own import OwnAccount
from service_kit.accounts.password_setting import PasswordSetting
from service_kit.accounts.passwords import PasswordHasher, usable_cores
from service_kit.accounts.policy import AccountPolicy
from service_kit.accounts.refresh_tokens import RefreshTokens
from service_kit.accounts.rotation import Rotation
from service_kit.accounts.sessions import Sessions
from service_kit.accounts.settings import JwtSettings
from service_kit.accounts.signing_keys import SigningKeys, development_keys, signing_keys_in
from service_kit.background import repeating
from service_kit.clock import utc_now
from service_kit.limits.limiter import Limiter
from service_kit.limits.postgres import PostgresStorage
from service_kit.postgres.store import PostgresStore
from service_kit.problems import StoreUnavailableError
from service_kit.resources import Check, Resource

_DATA: Final = Path(".data")
_GUESS_LIMITS: Final = GuessLimits()


class Accounts(Resource):
    """Accounts whose sessions have tokens.

    Args:
        policy: The service's accounts.
        settings: Their keys, and the first administrator.
        store: The service's database.
        service: Its name, for which the tokens are.
        guess_limits: How many passwords may be tried.
    """

    def __init__(
        self,
        policy: AccountPolicy,
        settings: JwtSettings,
        store: PostgresStore,
        service: str,
        *,
        guess_limits: GuessLimits = _GUESS_LIMITS,
    ) -> None:
        require_unpublished(policy, settings)
        keys, tables = _keys_of(settings, service), policy.tables
        refresh_tokens, counts = RefreshTokens(keys), PostgresStorage(store.engine, tables.login_counts)
        sessions = Sessions(tables.sessions, refresh_tokens)
        is_production = settings.environment == "production"
        self.policy = policy
        self.access_tokens = AccessTokens(keys, service)
        self.hasher = PasswordHasher(settings.bcrypt_rounds, threads=usable_cores())
        self.callers = Callers(tables, sessions)
        self.passwords = PasswordSetting(store, policy, sessions, self.hasher, is_production=is_production)
        guesses = Guesses(Limiter(counts), guess_limits)
        self.logins = Logins(store, tables, sessions, self.hasher, guesses, self.passwords.is_refused)
        self.rotation = Rotation(store, tables, sessions, refresh_tokens)
        self.own = OwnAccount(store, tables, sessions, self.logins, self.passwords)
        self.management = AccountManagement(store, policy, sessions, self.hasher, self.passwords)
        self.listing = Listing(store, tables.accounts)
        self._first = FirstAccounts(store, policy, self.management, settings)
        self._housekeeping = Housekeeping(store.engine, tables.sessions, counts)
        self._has_first = asyncio.Event()

    @property
    def checks(self) -> Sequence[Check]:
        """Whoever is told that the service is ready can log in."""
        return [Check("accounts", self._check_first)]

    async def _check_first(self) -> None:
        if not self._has_first.is_set():
            raise FirstAccountsMissingError

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the first accounts, and tidy up every hour, while the block runs."""
        silent = (StoreUnavailableError,)
        async with (
            self.hasher.running(),
            repeating(self._make_first, failure="first_accounts_not_made", again_seconds=0.2, silent=silent),
            repeating(self._housekeeping.tidy_up, failure="accounts_not_tidied_up", again_seconds=60.0, silent=silent),
        ):
            yield

    async def _make_first(self) -> None:
        await self._first.make()
        self._has_first.set()
        await asyncio.Event().wait()  # once is enough


def _keys_of(settings: JwtSettings, service: str) -> SigningKeys:
    if settings.jwt_keys.get_secret_value():
        return signing_keys_in(settings.jwt_keys)
    return development_keys(_DATA / f"{service}.jwt_keys", utc_now())
