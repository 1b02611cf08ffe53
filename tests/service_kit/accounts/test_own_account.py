"""What everybody does with the account of one's own: logging out, sessions, a new password."""

from uuid import uuid4

from tests.support.things.client import GUEST, HAND, HEAD, Person, Things

NEW = "another gate stands open"


async def test_me_tells_who_calls_and_what_it_may(things: Things) -> None:
    owner_id = uuid4()
    await things.add_thing(owner_id)
    await things.add_account(GUEST, "guest", owner_id)
    guest = await things.log_in(GUEST)

    me = (await guest.get("/auth/me")).json()

    assert me["account"]["email"] == GUEST.email
    assert me["account"]["subject_id"] == str(owner_id)
    assert me["permissions"]["GET /things"] == "own"
    assert "POST /things" not in me["permissions"]
    assert "password" not in me["account"]


async def test_a_logout_ends_both_tokens_at_once_and_no_other_session(things: Things) -> None:
    head, other = await things.log_in(HEAD), await things.log_in(HEAD)
    assert (await head.call("POST", "/auth/logout")).status_code == 204
    assert (await head.get("/now")).status_code == 401
    assert (await things.refresh(head.refresh_token)).status_code == 401
    assert (await other.get("/now")).status_code == 200


async def test_a_logout_everywhere_ends_all_sessions_of_the_account(things: Things) -> None:
    await things.add_account(HAND, "hand")
    head, other, hand = await things.log_in(HEAD), await things.log_in(HEAD), await things.log_in(HAND)
    assert (await head.call("POST", "/auth/logout?everywhere=true")).status_code == 204
    assert (await other.get("/now")).status_code == 401
    assert (await hand.get("/now")).status_code == 200


async def test_sessions_are_listed_with_where_they_were_begun(things: Things) -> None:
    head = await things.log_in(HEAD, "2001:db8::7")
    await things.log_in(HEAD, "198.51.100.7")
    newest, current = (await head.get("/auth/sessions")).json()["items"]
    assert (newest["address"], current["address"]) == ("198.51.100.7", "2001:db8::7")
    assert (newest["is_current"], current["is_current"]) == (False, True)
    assert current["kind"] == "token"
    assert current["agent"].startswith("python-httpx")


async def test_a_session_of_ones_own_can_be_ended_and_no_other(things: Things) -> None:
    await things.add_account(HAND, "hand")
    head, other, hand = await things.log_in(HEAD), await things.log_in(HEAD), await things.log_in(HAND)
    other_id, _ = [session["id"] for session in (await head.get("/auth/sessions")).json()["items"]]

    assert (await hand.call("DELETE", f"/auth/sessions/{other_id}")).status_code == 404
    assert (await other.get("/now")).status_code == 200
    assert (await head.call("DELETE", f"/auth/sessions/{other_id}")).status_code == 204
    assert (await other.get("/now")).status_code == 401
    assert (await head.call("DELETE", f"/auth/sessions/{other_id}")).status_code == 404


async def test_a_new_password_ends_the_other_sessions(things: Things) -> None:
    head, other = await things.log_in(HEAD), await things.log_in(HEAD)
    change = {"old_password": HEAD.password, "new_password": NEW}
    assert (await head.call("PUT", "/auth/password", json=change)).status_code == 204
    assert (await head.get("/now")).status_code == 200
    assert (await other.get("/now")).status_code == 401
    assert (await things.try_password(HEAD)).status_code == 401
    assert (await things.try_password(Person(HEAD.email, NEW))).status_code == 200


async def test_a_wrong_old_password_changes_nothing(things: Things) -> None:
    head = await things.log_in(HEAD)
    change = {"old_password": "not the password", "new_password": NEW}
    answer = await head.call("PUT", "/auth/password", json=change)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:problem-type:bad-credentials")
    assert (await things.try_password(HEAD)).status_code == 200


async def test_a_password_that_is_soon_guessed_is_refused(things: Things) -> None:
    head = await things.log_in(HEAD)
    for weak in ("password1", "headexample", "head@example.com", "12345678", "Things-head-1"):
        change = {"old_password": HEAD.password, "new_password": weak}
        answer = await head.call("PUT", "/auth/password", json=change)
        assert answer.status_code == 422, weak
        assert answer.json()["errors"][0]["field"] == "body.new_password"
        assert weak not in answer.text
