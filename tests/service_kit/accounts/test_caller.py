from uuid import uuid4

import pytest

from service_kit.accounts.caller import PUBLIC, Caller, Permissions, Scope, allow, operation_of

ROLES = ("head", "hand", "guest")
PERMISSIONS = Permissions(
    ROLES,
    {
        "POST /auth/token": PUBLIC,
        "GET /things": allow("head", "hand", own=["guest"]),
        "GET /things/{thing_id}": allow("head"),
    },
)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/things/{thing_id:uuid}", "GET /things/{thing_id}"),
        ("GET", "/things/", "GET /things"),
        ("GET", "/", "GET /"),
        ("POST", "/a/{b:int}/c/{d:path}", "POST /a/{b}/c/{d}"),
    ],
)
def test_spells_an_operation_as_openapi_does(method: str, path: str, operation: str) -> None:
    assert operation_of(method, path) == operation


def test_finds_the_rule_of_a_route_by_its_own_path() -> None:
    assert PERMISSIONS.rule_of("GET", "/things/{thing_id:uuid}").scopes == {"head": Scope.ALL}
    assert PERMISSIONS.rule_of("GET", "/things/").scopes["guest"] is Scope.OWN
    assert PERMISSIONS.rule_of("POST", "/auth/token").is_public


def test_lets_nobody_do_what_the_table_does_not_name() -> None:
    rule = PERMISSIONS.rule_of("DELETE", "/things/{thing_id}")
    assert not rule.scopes
    assert not rule.is_public


def test_tells_a_role_what_it_may() -> None:
    assert PERMISSIONS.granted_to("guest") == {"GET /things": Scope.OWN}
    assert PERMISSIONS.granted_to("head") == {"GET /things": Scope.ALL, "GET /things/{thing_id}": Scope.ALL}


def test_names_routes_without_a_row_and_rows_without_a_route() -> None:
    assert PERMISSIONS.unmatched(PERMISSIONS.rules) == []
    assert PERMISSIONS.unmatched(["POST /auth/token", "GET /things", "PUT /things"]) == [
        "GET /things/{thing_id}",
        "PUT /things",
    ]


@pytest.mark.parametrize("operation", ["get /things", "GET things", "GET /things/", "GET /things/{id:uuid}", "GET"])
def test_refuses_a_misspelled_operation(operation: str) -> None:
    with pytest.raises(ValueError, match="write an operation as"):
        Permissions(ROLES, {operation: PUBLIC})


def test_refuses_a_role_that_is_none() -> None:
    with pytest.raises(ValueError, match="GET /things names roles that are none: boss"):
        Permissions(ROLES, {"GET /things": allow("head", "boss")})


def caller(scope: Scope, *, with_subject: bool) -> Caller:
    subject = uuid4() if with_subject else None
    return Caller(uuid4(), "ana@example.com", "Ana", "guest", uuid4(), subject_id=subject, scope=scope)


def test_confines_a_caller_to_its_subject_where_it_sees_its_own_alone() -> None:
    confined = caller(Scope.OWN, with_subject=True)
    assert confined.only_subject == confined.subject_id
    assert caller(Scope.ALL, with_subject=True).only_subject is None


def test_makes_no_confined_caller_without_a_subject() -> None:
    with pytest.raises(ValueError, match="has a subject"):
        caller(Scope.OWN, with_subject=False)
