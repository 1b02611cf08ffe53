"""Who may what: the one table. An operation without its row nobody may do."""

from typing import Final

from service_kit.accounts.caller import Permissions, Rule, allow
from service_kit.accounts.rules import account_rules

ADMINISTRATOR: Final = "administrator"
OFFICER: Final = "officer"
CLIENT: Final = "client"
ROLES: Final = (ADMINISTRATOR, OFFICER, CLIENT)

_READ: Final = allow(ADMINISTRATOR, OFFICER, own=[CLIENT])
"""A client account sees its own client and loans, and of all others nothing."""
_EVERYBODY: Final = allow(*ROLES)
_STAFF: Final = allow(ADMINISTRATOR, OFFICER)
_ADMINISTRATOR: Final = allow(ADMINISTRATOR)

_LOAN: Final = "/loans/{loan_id}"
_RULES: Final[dict[str, Rule]] = {
    **account_rules(ADMINISTRATOR, ROLES),
    "GET /clients": _READ,
    "POST /clients": _STAFF,
    "GET /clients/{client_id}": _READ,
    "PUT /clients/{client_id}": _STAFF,
    "PATCH /clients/{client_id}": _STAFF,
    "DELETE /clients/{client_id}": _ADMINISTRATOR,
    "GET /clients/{client_id}/history": _STAFF,
    "GET /loans": _READ,
    "POST /loans": _STAFF,
    "POST /loans/quote": _EVERYBODY,
    f"GET {_LOAN}": _READ,
    f"PUT {_LOAN}": _STAFF,
    f"PATCH {_LOAN}": _STAFF,
    f"DELETE {_LOAN}": _STAFF,
    f"GET {_LOAN}/history": _STAFF,
    f"GET {_LOAN}/schedule": _READ,
    f"GET {_LOAN}/balance": _READ,
    f"GET {_LOAN}/payments": _READ,
    f"POST {_LOAN}/payments": _STAFF,
    f"POST {_LOAN}/payments/quote": _READ,
    f"GET {_LOAN}/payments/{{payment_id}}": _READ,
    f"POST {_LOAN}/payments/{{payment_id}}/reverse": _ADMINISTRATOR,
    **{
        f"POST {_LOAN}/{command}": _ADMINISTRATOR
        for command in ("approve", "reject", "cancel", "disburse", "reopen", "write-off")
    },
    "GET /portfolio": _STAFF,
}

PERMISSIONS: Final = Permissions(ROLES, _RULES)
