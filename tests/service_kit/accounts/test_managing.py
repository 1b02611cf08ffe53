"""What administrators do with accounts."""

import asyncio
from uuid import uuid4

from sqlalchemy import text

from service_kit.accounts.history import Origin
from tests.support.things.client import GUEST, HAND, HEAD, Login, Person, Things

NEW = {"email": HAND.email, "name": "Hand", "role": "hand"}


async def head_and_hand(things: Things) -> tuple[Login, Login, str]:
    hand_id = await things.add_account(HAND, "hand")
    return await things.log_in(HEAD), await things.log_in(HAND), f"/accounts/{hand_id}"


async def test_an_account_without_a_password_gets_one_that_has_to_be_changed(things: Things) -> None:
    head = await things.log_in(HEAD)
    answer = await head.call("POST", "/accounts", json=NEW)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/accounts/{answer.json()['id']}"
    assert "password_hash" not in answer.json()
    temporary = answer.json()["temporary_password"]

    hand = await things.log_in(Person(HAND.email, temporary))
    for path in ("/now", "/things", "/auth/me", "/auth/sessions"):
        refused = await hand.get(path)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:problem-type:password-change-required")
    change = {"old_password": temporary, "new_password": HAND.password}
    assert (await hand.call("PUT", "/auth/password", json=change)).status_code == 204
    assert (await hand.get("/now")).status_code == 200
    assert (await things.try_password(HAND)).status_code == 200


async def test_an_account_with_a_password_can_be_used_at_once(things: Things) -> None:
    head = await things.log_in(HEAD)
    answer = await head.call("POST", "/accounts", json={**NEW, "password": HAND.password})
    assert answer.json()["temporary_password"] is None
    assert (await (await things.log_in(HAND)).get("/now")).status_code == 200


async def test_refuses_an_account_that_breaks_a_rule(things: Things) -> None:
    head = await things.log_in(HEAD)
    wrongs: list[tuple[dict[str, object], str]] = [
        ({"role": "boss"}, "body.role"),
        ({"role": "guest"}, "body.subject_id"),
        ({"role": "guest", "subject_id": str(uuid4())}, "body.subject_id"),
        ({"subject_id": str(uuid4())}, "body.subject_id"),
        ({"password": "password1"}, "body.password"),
        ({"password": "Things-hand-1"}, "body.password"),
        ({"password": "short"}, "body.password"),
        ({"email": "no address"}, "body.email"),
        ({"is_admin": True}, "body.is_admin"),
    ]
    for wrong, field in wrongs:
        answer = await head.call("POST", "/accounts", json={**NEW, **wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["field"] == field, wrong
    assert (await head.call("POST", "/accounts", json={**NEW, "email": "HEAD@example.com"})).status_code == 409


async def test_accounts_are_listed_filtered_and_paged(things: Things) -> None:
    head, _, path = await head_and_hand(things)
    first = (await head.get("/accounts?limit=1")).json()
    second = (await head.get(f"/accounts?limit=1&cursor={first['next_cursor']}")).json()
    assert [first["items"][0]["email"], second["items"][0]["email"]] == [HAND.email, HEAD.email]
    assert second["next_cursor"] is None
    for query in ("role=hand", "email=HAND@example.com"):
        assert [one["email"] for one in (await head.get(f"/accounts?{query}")).json()["items"]] == [HAND.email]
    assert (await head.get("/accounts?is_active=false")).json()["items"] == []
    assert (await head.get("/accounts?email=nobody")).json()["items"] == []
    assert (await head.get("/accounts?cursor=ab")).status_code == 400
    assert (await head.get("/accounts?email=%00")).json()["items"] == []
    for query in ("role=%00", "limit=0", "is_active=maybe", "subject_id=x", "unknown=1"):
        assert (await head.get(f"/accounts?{query}")).status_code == 422, query
    assert (await head.get(path)).json()["email"] == HAND.email
    assert (await head.get(f"/accounts/{uuid4()}")).status_code == 404


async def test_a_new_role_counts_at_the_next_request(things: Things) -> None:
    head, hand, path = await head_and_hand(things)
    assert (await hand.get("/accounts")).status_code == 403
    assert (await head.call("PATCH", path, json={"role": "head"})).status_code == 200
    assert (await hand.get("/accounts")).status_code == 200
    assert (await hand.call("PATCH", path, json={"role": "hand"})).status_code == 200
    assert (await hand.get("/accounts")).json()["type"] == "urn:problem-type:not-allowed"


async def test_an_account_that_is_deactivated_or_deleted_is_out_at_once(things: Things) -> None:
    head, hand, path = await head_and_hand(things)
    assert (await head.call("PATCH", path, json={"is_active": False})).status_code == 200
    assert (await hand.get("/now")).status_code == 401
    assert (await things.refresh(hand.refresh_token)).status_code == 401
    assert (await head.call("PATCH", path, json={"is_active": True})).status_code == 200
    assert (await hand.get("/now")).status_code == 401, "its sessions do not come back"

    hand = await things.log_in(HAND)
    assert (await head.call("DELETE", path)).status_code == 204
    assert (await hand.get("/now")).status_code == 401
    assert (await things.refresh(hand.refresh_token)).status_code == 401
    assert (await head.get(path)).status_code == 404
    assert (await things.happenings())[-1] == "account-deleted"


async def test_a_change_says_what_is_changed_and_nothing_else(things: Things) -> None:
    head, _, path = await head_and_hand(things)
    before = (await head.get(path)).json()
    wrongs: list[object] = [
        {},
        {"name": None},
        {"role": "\u0000"},
        {"email": HEAD.email.upper()},
        {"password": "x" * 20},
        [],
    ]
    for wrong in wrongs:
        assert (await head.call("PATCH", path, json=wrong)).status_code in {409, 422}, wrong
    assert (await head.get(path)).json() == before
    assert (await head.call("PATCH", path, json={"name": "Other"})).json()["name"] == "Other"
    assert (await head.call("PATCH", path, json={"email": "other@example.com"})).status_code == 200
    assert (await things.try_password(HAND)).status_code == 401
    assert (await things.try_password(Person("other@example.com", HAND.password))).status_code == 200


async def test_a_change_tells_the_history_what_was_before_and_after(things: Things) -> None:
    head, _, path = await head_and_hand(things)
    await head.call("PATCH", path, json={"role": "head", "name": "Somebody"})
    details = await things.value("SELECT details::text FROM account_history ORDER BY id DESC LIMIT 1")
    assert '"before": {"role": "hand"}' in details
    assert '"after": {"role": "head"}' in details
    assert await things.value(
        "SELECT h.actor_id = a.id FROM account_history h, accounts a WHERE a.email = :e ORDER BY h.id DESC LIMIT 1",
        e=HEAD.email,
    )


async def test_two_editors_do_not_overwrite_each_other_unseen(things: Things) -> None:
    head, _, path = await head_and_hand(things)
    tag = (await head.get(path)).headers["etag"]
    assert (await head.get(path)).headers["etag"] == tag
    await head.call("PATCH", path, json={"name": "Other"})
    head.headers["If-Match"] = tag
    assert (await head.call("PATCH", path, json={"name": "Third"})).status_code == 412
    assert (await head.call("DELETE", path)).status_code == 412


async def test_a_reset_password_is_good_for_72_hours_and_ends_the_sessions(things: Things) -> None:
    head, hand, path = await head_and_hand(things)
    answer = await head.call("POST", f"{path}/reset-password")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (await hand.get("/now")).status_code == 401
    assert (await things.try_password(HAND)).status_code == 401
    temporary = Person(HAND.email, answer.json()["password"])
    await things.log_in(temporary)
    await things.run("UPDATE accounts SET password_expires_at = password_expires_at - interval '72 hours'")
    assert (await things.try_password(temporary)).status_code == 401


async def test_the_last_administrator_can_be_neither_removed_nor_demoted(things: Things) -> None:
    head, _, _ = await head_and_hand(things)
    await things.add_account(Person("idle@example.com", HEAD.password), "head")
    await things.run("UPDATE accounts SET is_active = false WHERE email = 'idle@example.com'")
    path = f"/accounts/{(await head.get('/auth/me')).json()['account']['id']}"
    for method, body in [("DELETE", None), ("PATCH", {"role": "hand"}), ("PATCH", {"is_active": False})]:
        answer = await head.call(method, path, json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:problem-type:last-administrator")
    assert (await head.call("PATCH", path, json={"name": "Boss"})).status_code == 200


async def test_of_two_administrators_who_demote_each_other_one_stays(things: Things) -> None:
    for turn in range(5):
        other = Person(f"other{turn}@example.com", HEAD.password)
        other_id = await things.add_account(other, "head")
        await things.run("UPDATE accounts SET role = 'head' WHERE email = :e", e=HEAD.email)
        heads = [await things.log_in(HEAD), await things.log_in(other)]
        head_id = (await heads[0].get("/auth/me")).json()["account"]["id"]
        changes = [{"role": "hand"}, {"is_active": False}]
        answers = await asyncio.gather(
            heads[0].call("PATCH", f"/accounts/{other_id}", json=changes[turn % 2]),
            heads[1].call("DELETE" if turn == 4 else "PATCH", f"/accounts/{head_id}", json=changes[0]),
        )
        assert min(answer.status_code for answer in answers) in {200, 204}
        assert await things.value("SELECT count(*) FROM accounts WHERE role = 'head' AND is_active") == 1
        await things.run("DELETE FROM accounts WHERE email = :e", e=other.email)
        if not await things.value("SELECT count(*) FROM accounts WHERE email = :e", e=HEAD.email):
            return


async def test_the_accounts_of_a_subject_that_goes_are_closed_with_it(things: Things) -> None:
    owner_id = uuid4()
    await things.add_thing(owner_id)
    await things.add_account(GUEST, "guest", owner_id)
    guest = await things.log_in(GUEST)
    async with things.store.transaction() as session:
        await things.accounts.management.close_of(session, owner_id, Origin())
        await session.execute(text("DELETE FROM things"))
    assert (await guest.get("/now")).status_code == 401
    assert (await things.try_password(GUEST)).status_code == 401
