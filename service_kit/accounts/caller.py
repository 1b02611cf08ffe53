"""Who calls, and what each role may do: what a service writes its rules and its one table of permissions with.

It knows the meaning of no role, and no framework: a rule that is given who asks takes a `Caller`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from uuid import UUID

from service_kit.problems import ServiceError

_OPERATION: Final = re.compile(r"(DELETE|GET|PATCH|POST|PUT) /\S*")
_CONVERTER: Final = re.compile(r":\w+}")


class TokenInvalidError(ServiceError):
    """There is no access token that is valid now; why, nobody is told."""

    status = HTTPStatus.UNAUTHORIZED
    code = "token-invalid"

    def __init__(self) -> None:
        sentence = "Send a valid access token as Authorization: Bearer …; POST /auth/token gives one."
        super().__init__(sentence, headers={"WWW-Authenticate": "Bearer"})


class NotAllowedError(ServiceError):
    """The caller's role may not do this."""

    status = HTTPStatus.FORBIDDEN
    code = "not-allowed"

    def __init__(self) -> None:
        super().__init__("Your role may not do this. GET /auth/me lists what it may.")


class PasswordChangeRequiredError(ServiceError):
    """The caller's password was made by somebody else, and is good for nothing but changing it."""

    status = HTTPStatus.FORBIDDEN
    code = "password-change-required"

    def __init__(self) -> None:
        super().__init__("Choose a password of your own first, by PUT /auth/password.")


class Scope(StrEnum):
    """On what a role may do an operation."""

    ALL = "all"
    OWN = "own"
    """What belongs to the account's subject; all else is to the caller as if it were not there."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has sent the request that runs.

    Attributes:
        account_id: The account.
        email: Its address.
        name: Its owner.
        role: Its role, one of the service's own.
        session_id: The session in which it calls.
        subject_id: Whose data it sees, of an account that sees its own alone.
        scope: What of this operation the role may see, by the permissions.
    """

    account_id: UUID
    email: str
    name: str
    role: str
    session_id: UUID
    subject_id: UUID | None = None
    scope: Scope = Scope.ALL

    def __post_init__(self) -> None:
        """Refuse what a query might take for the right to see everything."""
        if self.scope is Scope.OWN and self.subject_id is None:
            raise ValueError("who sees its own alone has a subject")

    @property
    def only_subject(self) -> UUID | None:
        """The subject to which every query of this caller is confined; None if it sees all."""
        return self.subject_id if self.scope is Scope.OWN else None


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one operation. `PUBLIC` and `allow` make it.

    Attributes:
        scopes: What the roles may do it on; a role that is not here may not.
        is_public: Whether anybody may, without an account.
        before_password_change: Whether an account may that has to change its password first.
    """

    scopes: Mapping[str, Scope] = field(default_factory=dict)
    is_public: bool = False
    before_password_change: bool = False


PUBLIC: Final = Rule(is_public=True)


def allow(*roles: str, own: Iterable[str] = (), before_password_change: bool = False) -> Rule:
    """Let `roles` do an operation on everything, and `own` on what belongs to their subject."""
    scopes = {**dict.fromkeys(roles, Scope.ALL), **dict.fromkeys(own, Scope.OWN)}
    return Rule(scopes, before_password_change=before_password_change)


def operation_of(method: str, path: str) -> str:
    """How the table spells a route: `GET /clients/{client_id}`, without converters and without a slash at the end."""
    return f"{method} {_CONVERTER.sub('}', path).rstrip('/') or '/'}"


class Permissions:
    """A service's table: who may do what. An operation without its row nobody may do.

    Args:
        roles: The service's roles, all of them.
        rules: By operation, as `operation_of` spells it.

    Raises:
        ValueError: An operation is misspelled, or a rule names a role that is none.
    """

    def __init__(self, roles: Collection[str], rules: Mapping[str, Rule]) -> None:
        for operation, rule in rules.items():
            if not _OPERATION.fullmatch(operation) or operation_of(*operation.split(" ")) != operation:
                raise ValueError(f"write an operation as 'GET /clients/{{client_id}}', not {operation!r}")
            if strangers := sorted(rule.scopes.keys() - set(roles)):
                raise ValueError(f"{operation} names roles that are none: {', '.join(strangers)}")
        self.roles = tuple(roles)
        self.rules = dict(rules)

    def rule_of(self, method: str, path: str) -> Rule:
        """The rule of a route; one that lets nobody through if the table has none."""
        return self.rules.get(operation_of(method, path), _NOBODY)

    @property
    def confined_roles(self) -> frozenset[str]:
        """Roles that see their own alone somewhere: an account with one of them has a subject."""
        return frozenset(
            role for rule in self.rules.values() for role, scope in rule.scopes.items() if scope is Scope.OWN
        )

    def granted_to(self, role: str) -> dict[str, Scope]:
        """What a role may do, by operation."""
        return {operation: rule.scopes[role] for operation, rule in self.rules.items() if role in rule.scopes}

    def unmatched(self, operations: Collection[str]) -> list[str]:
        """Operations that have no row, and rows that have no operation; none, if table and routes agree."""
        return sorted(set(operations) ^ self.rules.keys())


_NOBODY: Final = Rule()
