"""Who calls: session and account of a token, read with each request, in its own transaction.

So a logout, a deactivation and a new role count from the next request on, on every replica: it is the revocation list.
"""

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.accounts.access_tokens import AccessToken
from service_kit.accounts.caller import (
    Caller,
    NotAllowedError,
    PasswordChangeRequiredError,
    Rule,
    Scope,
    TokenInvalidError,
)
from service_kit.accounts.sessions import TOKEN_KIND, TOKEN_LIFETIME, Sessions
from service_kit.accounts.tables import AccountTables
from service_kit.postgres.engine import SERVER_NOW


class Callers:
    """Finds the caller of a request."""

    def __init__(self, tables: AccountTables, sessions: Sessions) -> None:
        accounts, rows = tables.accounts.c, tables.sessions.c
        minute = func.date_trunc("minute", SERVER_NOW)
        self._query = (
            select(
                accounts.id,
                accounts.email,
                accounts.name,
                accounts.role,
                accounts.subject_id,
                accounts.must_change_password,
                (rows.last_used_at < minute).label("is_used_anew"),
            )
            .join_from(tables.sessions, tables.accounts, rows.account_id == accounts.id)
            .where(rows.id == bindparam("session"), accounts.id == bindparam("account"))
            .where(rows.kind == TOKEN_KIND, sessions.is_living, accounts.is_active)
        )
        # Requests of one session that come together do not wait for each other: one of them writes the minute.
        unlocked = select(rows.id).where(rows.id == bindparam("session")).with_for_update(skip_locked=True)
        self._use = (
            update(tables.sessions)
            .where(rows.id.in_(unlocked))
            .values(last_used_at=minute, idle_ends_at=SERVER_NOW + TOKEN_LIFETIME.idle)
        )

    async def find(self, session: AsyncSession, token: AccessToken, rule: Rule) -> Caller:
        """The caller, if it may do what the rule is about.

        Raises:
            TokenInvalidError: The session is over, or the account is not active (401).
            PasswordChangeRequiredError: It has to choose a password first (403).
            NotAllowedError: Its role may not do this (403).
        """
        parameters = {"session": token.session_id, "account": token.account_id}
        connection = await session.connection()  # past the ORM, which adds a tenth of a millisecond to each request
        row = (await connection.execute(self._query, parameters)).one_or_none()
        if row is None:
            raise TokenInvalidError
        if row.is_used_anew:
            await session.execute(self._use, {"session": token.session_id})
        if row.must_change_password and not rule.before_password_change:
            raise PasswordChangeRequiredError
        scope = rule.scopes.get(row.role)
        if scope is None or (scope is Scope.OWN and row.subject_id is None):
            raise NotAllowedError
        return Caller(row.id, row.email, row.name, row.role, token.session_id, row.subject_id, scope)
