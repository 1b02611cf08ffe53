"""A fuzzer that believes every word of `/openapi.json`, logged in as each role."""

from pathlib import Path
from typing import Final

import httpx
import pytest

from dev_stack.servers.postgres import Postgres
from tests.loans_service.conftest import KEYS, LUCIA
from tests.support.fuzzer import ANY_VERSION, fuzz, may_refuse
from tests.support.system import ServiceProcess

# By these the fuzzer would end its own session, or be locked out.
_OF_ITS_OWN: Final = ("/auth/token", "/auth/logout", "/auth/password", "/auth/sessions/{session_id}")
_RESET: Final = "/accounts/{account_id}/reset-password"

# What no schema can say: that a number has its check digits, that terms are sound, that a client is known, that
# somebody has come of age, that a role has a subject, that a payment is not of tomorrow.
_INVALID: Final = (
    *("POST /accounts", "PATCH /accounts/{account_id}"),
    *("POST /clients", "PUT /clients/{client_id}", "PATCH /clients/{client_id}"),
    *("POST /loans", "POST /loans/quote", "PUT /loans/{loan_id}", "PATCH /loans/{loan_id}"),
    *("POST /loans/{loan_id}/payments/quote", "GET /loans/{loan_id}/balance"),
)
# What a cursor looks like depends on the sort.
_MADE_UP_CURSOR: Final = (
    *("GET /clients", "GET /clients/{client_id}/history"),
    *("GET /loans/{loan_id}/history", "GET /loans/{loan_id}/payments"),
)
_REFUSING: Final = {
    **dict.fromkeys(_INVALID, ("403", "422")),
    **dict.fromkeys(_MADE_UP_CURSOR, ("400", "403")),
    "GET /loans": ("400", "422"),  # bounds of the principal need a currency
    "POST /loans/{loan_id}/payments": ("400", "403", "422"),  # a missing Idempotency-Key is 400, as it was asked for
    "POST /loans/{loan_id}/approve": ("403", "428"),  # whatever version there is, which the fuzzer names, is not enough
    "POST /loans/{loan_id}/disburse": ("403", "422", "428"),
}
_LOGINS: Final = {
    "administrator": ("admin@loans.example", "Loans-admin-1"),
    "officer": ("officer@loans.example", "Loans-officer-1"),
    "client": ("lucia@example.com", "Blue-lake-walrus-77"),
}


def _token(url: str, role: str) -> str:
    email, password = _LOGINS[role]
    form = {"grant_type": "password", "username": email, "password": password}
    answer = httpx.post(f"{url}/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return f"Authorization: Bearer {answer.json()['access_token']}"


def _register_client(url: str) -> None:
    name, _, token = _token(url, "administrator").partition(": ")
    email, password = _LOGINS["client"]
    made = httpx.post(f"{url}/clients", json=LUCIA, headers={name: token})
    assert made.status_code == 201, made.text
    account = {"email": email, "name": "Lucía", "role": "client", "password": password, "subject_id": made.json()["id"]}
    assert httpx.post(f"{url}/accounts", json=account, headers={name: token}).status_code == 201


@pytest.mark.parametrize("role", _LOGINS)
def test_a_fuzzer_finds_nothing(postgres: Postgres, role: str, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": postgres.url,
        "DATABASE_NAME": f"loans_fuzzed_by_{role}",
        "JWT_KEYS": KEYS,
        "BCRYPT_ROUNDS": "4",
    }
    configuration = "\n".join([ANY_VERSION, *(may_refuse(name, *statuses) for name, statuses in _REFUSING.items())])
    options = tuple(word for path in (*_OF_ITS_OWN, _RESET) for word in ("--exclude-path", path))

    with ServiceProcess(tmp_path / "api", "loans_service", **environment) as process:
        _register_client(process.url)
        fuzz(process.url, tmp_path, configuration, header=_token(process.url, role), options=options)
