"""The guard: each role may what the table says, and the table and the routes agree."""

from uuid import uuid4

import pytest

from service_kit.accounts.caller import operation_of
from tests.support.things.client import GUEST, HAND, HEAD, Things
from tests.support.things.policy import PERMISSIONS, ROLES


def operations(things: Things) -> list[str]:
    document = things.app.openapi()
    return [operation_of(method.upper(), path) for path, methods in document["paths"].items() for method in methods]


async def test_every_route_has_its_row_and_every_row_its_route(things: Things) -> None:
    assert PERMISSIONS.unmatched(operations(things)) == []


@pytest.mark.parametrize("role", [*ROLES, None])
async def test_each_role_may_what_the_table_says(things: Things, role: str | None) -> None:
    owner_id = uuid4()
    await things.add_thing(owner_id)
    await things.add_account(HAND, "hand")
    await things.add_account(GUEST, "guest", owner_id)
    people = dict(zip(ROLES, (HEAD, HAND, GUEST), strict=True))
    for operation, rule in PERMISSIONS.rules.items():
        method, path = operation.split(" ")
        url = path.format(thing_id=uuid4(), account_id=uuid4(), session_id=uuid4())
        headers = (await things.log_in(people[role])).headers if role else {}
        status = (await things.client.request(method, url, headers=headers)).status_code
        if rule.is_public:
            assert status == 422, operation  # it wants a form
        elif role is None:
            assert status == 401, operation
        else:
            assert (status == 403) == (role not in rule.scopes), (operation, status)
            assert status not in {401, 500}, operation


async def test_who_sees_its_own_alone_sees_no_more(things: Things) -> None:
    mine, other = uuid4(), uuid4()
    my_thing, other_thing = await things.add_thing(mine), await things.add_thing(other)
    await things.add_account(GUEST, "guest", mine)
    guest = await things.log_in(GUEST)

    assert (await guest.get("/things")).json() == [str(my_thing)]
    assert (await guest.get(f"/things/{my_thing}")).status_code == 200
    hidden, unknown = await guest.get(f"/things/{other_thing}"), await guest.get(f"/things/{uuid4()}")
    assert hidden.status_code == unknown.status_code == 404
    assert len((await (await things.log_in(HEAD)).get("/things")).json()) == 2


async def test_an_account_of_a_confined_role_without_a_subject_may_nothing(things: Things) -> None:
    owner_id = uuid4()
    await things.add_thing(owner_id)
    await things.add_account(GUEST, "guest", owner_id)
    guest = await things.log_in(GUEST)
    await things.run("UPDATE accounts SET subject_id = NULL WHERE role = 'guest'")
    assert (await guest.get("/things")).status_code == 403


async def test_the_documents_know_the_login_and_the_refusals(things: Things) -> None:
    document = things.app.openapi()
    scheme = document["components"]["securitySchemes"]["Login"]
    assert scheme["flows"]["password"]["tokenUrl"] == "auth/token"
    listed = document["paths"]["/things"]["get"]
    assert listed["security"] == [{"Login": []}]
    assert {"401", "403"} <= listed["responses"].keys()
    token = document["paths"]["/auth/token"]["post"]
    assert token["security"] == []
    assert "application/x-www-form-urlencoded" in token["requestBody"]["content"]


async def test_a_request_that_fails_is_one_transaction_with_its_guard(things: Things) -> None:
    head = await things.log_in(HEAD)
    answer = await head.call("POST", f"/things?owner_id={uuid4()}")
    assert answer.status_code == 201
    assert (await head.call("POST", "/things")).status_code == 422
    assert await things.value("SELECT count(*) FROM things") == 1
