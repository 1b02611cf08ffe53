"""Accounts, sessions and tokens as callers send and see them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, with_config
from typing_extensions import TypedDict

from service_kit.accounts.caller import Scope
from service_kit.fields.email import EmailAddress
from service_kit.fields.password import Password
from service_kit.fields.person import PersonName
from service_kit.fields.text import TextPattern
from service_kit.fields.uuid7 import KnownId
from service_kit.pagination import CursorShape, PageQuery

_ANA: Final[dict[str, Any]] = {"email": "ana@example.com", "name": "Ana Peña"}

ACCOUNT_CURSOR: Final = CursorShape("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

RoleName = Annotated[
    str,
    Field(max_length=64, description="One of the service's roles."),
    TextPattern(r"^[a-z][a-z0-9_-]*$", "Write a role in small letters"),
]
SubjectId = Annotated[KnownId | None, Field(description="Whose data it sees, of a role that sees its own alone.")]


class NewAccount(BaseModel):
    """What an administrator sends to make an account."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ana@example.com", "name": "Ana Peña", "role": "administrator"}]},
    )

    email: Annotated[EmailAddress, Field(description="Unique; case and width do not matter.")]
    name: PersonName
    role: RoleName
    subject_id: SubjectId = None
    password: Annotated[
        Password | None,
        Field(description="Left out, a random one is made, which is answered once and has to be changed at first."),
    ] = None


@with_config(extra="forbid", json_schema_extra={"minProperties": 1, "examples": [{"name": "Ana María Peña"}]})
class AccountChanges(TypedDict, total=False):
    """What an administrator sends to change an account (RFC 7396). What is left out stays as it is."""

    email: EmailAddress
    name: PersonName
    role: RoleName
    subject_id: SubjectId
    is_active: bool


def _any_field(changes: AccountChanges) -> AccountChanges:
    if not changes:
        raise ValueError("Send at least one of the fields email, name, role, subject_id and is_active")
    return changes


SomeAccountChanges = Annotated[AccountChanges, AfterValidator(_any_field)]


class AccountView(BaseModel):
    """An account as it is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    role: str
    subject_id: UUID | None
    is_active: bool
    must_change_password: bool
    created_at: datetime
    updated_at: datetime


class NewAccountView(AccountView):
    """A new account."""

    temporary_password: str | None = Field(
        None, description="Shown this once; good for 72 hours, and for nothing but choosing another one."
    )


class TemporaryPassword(BaseModel):
    """A password that was made for an account."""

    password: str = Field(description="Shown this once; good for nothing but choosing another one.")
    expires_at: datetime


class AccountQuery(PageQuery):
    """Which accounts to list; all given filters hold together."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[
        Annotated[str, ACCOUNT_CURSOR.field()] | None, Field(description="`next_cursor` of the page before.")
    ] = None
    role: RoleName | None = None
    subject_id: KnownId | None = None
    is_active: bool | None = None
    email: Annotated[str | None, Field(max_length=254, description="The whole address, in any case.")] = None


class PasswordChange(BaseModel):
    """What one sends to change one's own password."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"old_password": "correct horse", "new_password": "battery-staple-9"}]},
    )

    old_password: Annotated[SecretStr, Field(max_length=1024)]
    new_password: Password


class SessionView(BaseModel):
    """A living session of one's own."""

    id: UUID
    kind: str
    created_at: datetime
    last_used_at: datetime = Field(description="To the minute.")
    ends_at: datetime = Field(description="If it is not used any more.")
    address: str | None = Field(description="Where it was begun.")
    agent: str = Field(description="What the program that began it calls itself.")
    is_current: bool = Field(description="Whether this request was sent in it.")


class SessionList(BaseModel):
    """The living sessions of one's own, the newest first; at most 20."""

    items: list[SessionView]


class Me(BaseModel):
    """Who calls, and what it may."""

    account: AccountView
    session_id: UUID
    permissions: dict[str, Scope] = Field(
        description="The operations that the role may do, on `all` or on what is its `own`.",
        examples=[{"GET /auth/me": "all"}],
    )


class TokenForm(BaseModel):
    """The form of OAuth 2 (RFC 6749, 4.3.2 and 6)."""

    grant_type: str = Field("", description="`password` or `refresh_token`.", examples=["password"])
    username: str = Field("", description="The e-mail address.", examples=[_ANA["email"]])
    password: SecretStr = SecretStr("")
    refresh_token: SecretStr = SecretStr("")


class Tokens(BaseModel):
    """What a login and a refresh answer (RFC 6749, 5.1)."""

    access_token: str = Field(description="For the header `Authorization: Bearer …`.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - as RFC 6750 has it
    expires_in: int = Field(600, description="Seconds until the access token is over.")
    refresh_token: str = Field(description="Good once, for the next pair of tokens.")
