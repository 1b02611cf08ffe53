"""A user: as a caller sends it, as MongoDB keeps it, as the API answers it."""

from datetime import datetime
from typing import Annotated, Final, Self

from beanie import Document
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, with_config
from pydantic.config import JsonDict
from pymongo import ASCENDING, IndexModel
from typing_extensions import TypedDict

from service_kit.fields.password import Password
from service_kit.fields.person import PersonName
from service_kit.mongo.duplicates import Settlement
from user_service.models.email import EmailAddress

_ANA: Final[JsonDict] = {"name": "Ana Peña", "email": "Ana@example.com"}


class NewUser(BaseModel):
    """What a caller sends to register a user."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{**_ANA, "password": "correct horse battery staple"}]}
    )

    name: PersonName
    email: EmailAddress
    password: Password


@with_config(extra="forbid", json_schema_extra={"minProperties": 1, "examples": [{"name": "Ana María Peña"}]})
class UserChanges(TypedDict, total=False):
    """What a caller sends to change a user: at least one field. Those that are left out stay as they are."""

    name: PersonName
    email: EmailAddress
    password: Password


def _any_field(changes: UserChanges) -> UserChanges:
    if not changes:
        raise ValueError("Send at least one of the fields name, email and password")
    return changes


SomeChanges = Annotated[UserChanges, AfterValidator(_any_field)]


EMAIL_INDEX: Final = "email_key"
EMAILS_SET_APART: Final = Settlement(
    [{"$set": {"email_key": {"$concat": ["$email_key", "#", {"$toString": "$_id"}]}}}],
    "still users, but their address is no longer theirs alone; give them another one by PUT /users/{id}",
)
"""What becomes of users whose address an older user has: they keep all they have. No address has such a key."""


class User(Document):
    """A user as MongoDB keeps it. Without the rules for a new one: what is stored can always be read."""

    name: str
    email: str
    email_key: str
    password_hash: Annotated[str, Field(repr=False)]
    version: int
    created_at: datetime
    updated_at: datetime

    class Settings:
        """The collection and its index."""

        name = "users"
        indexes: Final = [IndexModel([("email_key", ASCENDING)], name=EMAIL_INDEX, unique=True)]


class UserView(BaseModel):
    """A user as the API answers it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "665f1c2ab1e4d3a7c9f0e811",
                    **_ANA,
                    "created_at": "2026-11-20T10:00:00.123000Z",
                    "updated_at": "2026-11-20T10:00:00.123000Z",
                }
            ]
        }
    )

    id: str
    name: str
    email: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, user: User) -> Self:
        """The view of a stored user."""
        return cls(**{**dict(user), "id": str(user.id)})
