from datetime import UTC, datetime

import pytest
from beanie import init_beanie
from mongomock_motor import AsyncMongoMockClient
from pydantic import TypeAdapter, ValidationError
from pymongo.errors import DuplicateKeyError

from user_service.models.user import NewUser, SomeChanges, User, UserView

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
ANA = {"name": "Ana Peña", "email": "Ana@example.com", "password": "correct horse"}
CHANGES: TypeAdapter[SomeChanges] = TypeAdapter(SomeChanges)


@pytest.fixture
async def _mapped() -> None:
    await init_beanie(database=AsyncMongoMockClient(tz_aware=True)["users"], document_models=[User])


def ana(**changes: object) -> User:
    fields = {
        "name": "Ana",
        "email": "Ana@example.com",
        "email_key": "ana@example.com",
        "password_hash": "$2b$04$secret",
    }
    user: User = User.model_validate({**fields, "version": 1, "created_at": NOW, "updated_at": NOW, **changes})
    return user


@pytest.mark.usefixtures("_mapped")
async def test_is_stored_and_found_again() -> None:
    user = await ana().insert()

    assert (await User.get(user.id)) == user


@pytest.mark.usefixtures("_mapped")
async def test_an_address_belongs_to_one_user() -> None:
    await ana().insert()

    with pytest.raises(DuplicateKeyError):
        await ana(email="ANA@example.com").insert()


@pytest.mark.usefixtures("_mapped")
async def test_shows_neither_the_hash_nor_what_is_kept_for_the_database() -> None:
    user = await ana().insert()

    assert set(UserView.of(user).model_dump()) == {"id", "name", "email", "created_at", "updated_at"}
    assert "secret" not in repr(user)


@pytest.mark.parametrize("name", ["A", "Ñandú 🐦", "a" * 100, "李小龍", "O'Neill-Smith jr."])
def test_takes_the_names_that_people_have(name: str) -> None:
    assert NewUser.model_validate({**ANA, "name": name}).name == name


def test_cuts_the_blanks_around_a_name_off() -> None:
    assert NewUser.model_validate({**ANA, "name": "  Ana Peña "}).name == "Ana Peña"


@pytest.mark.parametrize(
    "name", ["", "   ", "\N{NO-BREAK SPACE}", "\N{ZERO WIDTH SPACE}", "a" * 101, "A\0", "A\nB", 7, None]
)
def test_refuses_a_name_that_shows_nothing_or_breaks_a_line(name: object) -> None:
    with pytest.raises(ValidationError):
        NewUser.model_validate({**ANA, "name": name})


def test_refuses_a_field_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError):
        NewUser.model_validate({**ANA, "is_admin": True})


@pytest.mark.parametrize(
    "changes", [{}, {"name": None}, {"password": None}, {"password_hash": "x"}, {"version": 9}, []]
)
def test_refuses_changes_that_change_nothing_or_what_is_not_theirs(changes: object) -> None:
    with pytest.raises(ValidationError):
        CHANGES.validate_python(changes)


@pytest.mark.parametrize("field", ["name", "email", "password"])
def test_takes_each_field_alone(field: str) -> None:
    assert list(CHANGES.validate_python({field: ANA[field]})) == [field]
