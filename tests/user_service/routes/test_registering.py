"""`POST /users`: addresses that are taken, and passwords that nobody is told."""

import asyncio
from collections import Counter

import httpx
import pytest
from bson import ObjectId
from passlib.context import CryptContext

from tests.user_service.conftest import PASSWORD, Stored, code_of, register, registered

HASHES = CryptContext(schemes=["bcrypt"])


class TestRegistering:
    async def test_answers_the_user_and_where_it_is(self, api: httpx.AsyncClient) -> None:
        answer = await register(api)

        user = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/users/{user['id']}"
        assert answer.headers["etag"] == '"1"'
        assert list(user) == ["id", "name", "email", "created_at", "updated_at"]

    async def test_is_read_again_as_it_was_answered(self, api: httpx.AsyncClient) -> None:
        answer = await register(api, name="Ñandú 🐦", email="ñ.😀@ñandú.com.ar", password="contraseña 🔑")

        again = await api.get(answer.headers["location"])

        assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])

    async def test_stores_a_bcrypt_hash_and_no_password(self, api: httpx.AsyncClient, stored: Stored) -> None:
        user = await registered(api)

        document = await stored.find_one({"_id": ObjectId(user["id"])})

        assert document is not None
        assert HASHES.verify(PASSWORD, document["password_hash"])
        assert PASSWORD not in str(document)

    @pytest.mark.parametrize("email", ["Ana@example.com", "ANA@EXAMPLE.COM", "ana@example.com"])
    async def test_refuses_an_address_that_is_taken_in_any_letters(self, api: httpx.AsyncClient, email: str) -> None:
        await registered(api)

        answer = await register(api, email=email)

        assert (answer.status_code, code_of(answer)) == (409, "email-taken")

    async def test_refuses_an_address_that_looks_like_one_that_is_taken(self, api: httpx.AsyncClient) -> None:
        await registered(api)

        answer = await register(api, email="\N{FULLWIDTH LATIN SMALL LETTER A}na@example.com")

        assert (answer.status_code, code_of(answer)) == (409, "email-taken")

    async def test_gives_an_address_to_one_of_many_that_want_it_at_once(
        self, api: httpx.AsyncClient, stored: Stored
    ) -> None:
        answers = await asyncio.gather(*(register(api) for _ in range(20)))

        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 19}
        assert await stored.count_documents({}) == 1

    @pytest.mark.parametrize("password", ["a" * 73, "ñ" * 37, "1234567"])
    async def test_refuses_a_password_that_bcrypt_would_cut_or_anybody_guess(
        self, api: httpx.AsyncClient, password: str
    ) -> None:
        answer = await register(api, password=password)

        assert (answer.status_code, code_of(answer)) == (422, "invalid-request")
        assert [mistake["field"] for mistake in answer.json()["errors"]] == ["body.password"]
        assert password not in answer.text

    async def test_lists_every_wrong_field(self, api: httpx.AsyncClient) -> None:
        answer = await register(api, name="", email="nobody", password="short", is_admin=True)

        fields = {mistake["field"] for mistake in answer.json()["errors"]}
        assert fields == {"body.name", "body.email", "body.password", "body.is_admin"}

    async def test_tells_no_password_in_any_answer_or_log_line(
        self, api: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
    ) -> None:
        secret = "do not tell anybody"
        user = await registered(api, password=secret)
        answers = [
            await register(api, password=secret),
            await register(api, email="no", password=secret),
            await register(api, password=[secret]),
            await register(api, password=secret * 4),
            await api.put(f"/users/{user['id']}", json={"password": secret}),
            await api.put(f"/users/{user['id']}", json={"password": secret, "x": secret}),
            await api.get(f"/users/{user['id']}"),
            await api.get("/users/"),
        ]

        assert [answer for answer in answers if secret in answer.text or "$2b$" in answer.text] == []
        logged = "".join(capfd.readouterr())
        assert "POST /users/ 201" in logged
        assert secret not in logged
        assert "$2b$" not in logged
