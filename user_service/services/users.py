"""Registers, reads, changes and removes users."""

from collections.abc import Collection
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn, cast

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from service_kit.accounts.passwords import PasswordHasher
from service_kit.api.etags import StaleEditError, accepts
from service_kit.api.merge_patch import MergePatch
from service_kit.fields.email import email_key
from service_kit.mongo.client import MongoStore
from service_kit.mongo.group_commit import GroupCommit
from service_kit.problems import ServiceError
from user_service.models.user import NewUser, User, UserChanges


class UserNotFoundError(ServiceError):
    """No user has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "user-not-found"

    def __init__(self, user_id: str) -> None:
        super().__init__(f"There is no user {user_id[:64]!r}. Ids are the 24 characters that POST /users/ answered.")


class EmailTakenError(ServiceError):
    """Another user has this e-mail address."""

    status = HTTPStatus.CONFLICT
    code = "email-taken"

    def __init__(self) -> None:
        super().__init__("Another user has this e-mail address, if in other letters. Use another one.")


class Users:
    """The users of one store."""

    def __init__(self, store: MongoStore, hasher: PasswordHasher) -> None:
        self._store = store
        self._collection = store.database[User.Settings.name]
        self._commit = GroupCommit(store, User.Settings.name)
        self._hasher = hasher

    async def register(self, new_user: NewUser, *, now: datetime) -> User:
        """Store a new user. The unique index decides who has an address: asking first would lose a race.

        Raises:
            EmailTakenError: The address belongs to another user (409).
            TooManyPasswordsError: Too many passwords are waiting to be hashed (503).
            StoreUnavailableError: MongoDB has not acknowledged it (503).
        """
        self._store.require_prepared()
        document = {
            "_id": ObjectId(),
            "name": new_user.name,
            "email": new_user.email,
            "email_key": email_key(new_user.email),
            "password_hash": await self._hasher.hash(new_user.password),
            "version": 1,
            "created_at": now,
            "updated_at": now,
        }
        try:
            await self._commit.insert(document)
        except DuplicateKeyError:
            raise EmailTakenError from None
        user: User = User.model_validate(document)
        return user

    async def read(self, user_id: str) -> User:
        """Look one user up.

        Raises:
            UserNotFoundError: No user has this id (404).
        """
        self._store.require_prepared()
        user = await User.get(PydanticObjectId(user_id)) if ObjectId.is_valid(user_id) else None
        if user is None:
            raise UserNotFoundError(user_id)
        return user

    async def change(
        self, user_id: str, changes: UserChanges, *, accepted: Collection[int] | None, now: datetime
    ) -> User:
        """Change the fields given, in one step with the check of the version.

        Raises:
            UserNotFoundError: No user has this id (404).
            StaleEditError: The user's version is not one of `accepted` (412).
            EmailTakenError: The address belongs to another user (409).
            TooManyPasswordsError: Too many passwords are waiting to be hashed (503).
        """
        self._store.require_prepared()
        edit = {"$set": {**await self._stored(changes), "updated_at": now}, "$inc": {"version": 1}}
        try:
            changed = await self._collection.find_one_and_update(
                _editable(user_id, accepted), edit, return_document=ReturnDocument.AFTER
            )
        except DuplicateKeyError:
            raise EmailTakenError from None
        if changed is None:
            await self._refuse_edit(user_id)
        user: User = User.model_validate(changed)
        return user

    async def patch(
        self, user_id: str, patch: MergePatch[NewUser], *, accepted: Collection[int] | None, now: datetime
    ) -> User:
        """Change the fields given, unless the user has them already. A password is always taken for a new one.

        Raises:
            UserNotFoundError: No user has this id (404).
            StaleEditError: The user's version is not one of `accepted` (412).
            EmailTakenError: The address belongs to another user (409).
            TooManyPasswordsError: Too many passwords are waiting to be hashed (503).
        """
        user, changes = await self.read(user_id), cast("UserChanges", patch.changes)
        if not accepts(accepted, user.version):
            raise StaleEditError
        if "password" not in changes and all(getattr(user, name) == value for name, value in changes.items()):
            return user
        return await self.change(user_id, changes, accepted=accepted, now=now)

    async def _stored(self, changes: UserChanges) -> dict[str, Any]:
        """The given fields as MongoDB stores them."""
        fields: dict[str, Any] = {}
        if "name" in changes:
            fields["name"] = changes["name"]
        if "email" in changes:
            fields |= {"email": changes["email"], "email_key": email_key(changes["email"])}
        if "password" in changes:
            fields["password_hash"] = await self._hasher.hash(changes["password"])
        return fields

    async def remove(self, user_id: str, *, accepted: Collection[int] | None) -> None:
        """Remove a user, in one step with the check of the version.

        Raises:
            UserNotFoundError: No user has this id (404).
            StaleEditError: The user's version is not one of `accepted` (412).
        """
        self._store.require_prepared()
        removed = await self._collection.delete_one(_editable(user_id, accepted))
        if not removed.deleted_count:
            await self._refuse_edit(user_id)

    async def _refuse_edit(self, user_id: str) -> NoReturn:
        await self.read(user_id)
        raise StaleEditError


def _editable(user_id: str, accepted: Collection[int] | None) -> dict[str, Any]:
    """The query for a user with an accepted version. An invalid id matches no user."""
    selected: dict[str, Any] = {"_id": ObjectId(user_id) if ObjectId.is_valid(user_id) else None}
    if accepted is not None:
        selected["version"] = {"$in": list(accepted)}
    return selected
