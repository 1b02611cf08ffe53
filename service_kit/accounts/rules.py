"""The rows of a service's table of permissions that are about accounts themselves."""

from collections.abc import Sequence

from service_kit.accounts.caller import PUBLIC, Rule, allow


def account_rules(administrator: str, everybody: Sequence[str]) -> dict[str, Rule]:
    """The rows.

    Args:
        administrator: The role that manages accounts.
        everybody: All roles, whose accounts everybody uses as one's own.
    """
    own, managed = allow(*everybody), allow(administrator)
    first = allow(*everybody, before_password_change=True)
    return {
        "POST /auth/token": PUBLIC,
        "POST /auth/logout": first,
        "PUT /auth/password": first,
        "GET /auth/me": own,
        "GET /auth/sessions": own,
        "DELETE /auth/sessions/{session_id}": own,
        "POST /accounts": managed,
        "GET /accounts": managed,
        "GET /accounts/{account_id}": managed,
        "PATCH /accounts/{account_id}": managed,
        "DELETE /accounts/{account_id}": managed,
        "POST /accounts/{account_id}/reset-password": managed,
    }
