"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

from pathlib import Path

import pytest

from tests.support.fuzzer import ANY_VERSION, fuzz, may_refuse
from tests.support.system import ServiceProcess

CONFIGURATIONS = {
    # JSON schema cannot count the bytes of a password.
    "user_service": "\n".join(
        [
            ANY_VERSION,
            *(may_refuse(f"{method} /users/{{user_id}}", "422") for method in ("PUT", "PATCH")),
            may_refuse("POST /users/", "422"),
        ]
    ),
    # One Idempotency-Key with two bodies is 422, as the draft asks for.
    "orders_service": may_refuse("POST /orders", "422"),
}


@pytest.mark.parametrize("key", ["", "a-key"], ids=["open", "with_a_key"])
@pytest.mark.parametrize("service", CONFIGURATIONS)
def test_a_fuzzer_finds_nothing(service: str, key: str, addresses: dict[str, str], tmp_path: Path) -> None:
    settings = {**addresses, "MONGODB_DATABASE": tmp_path.name, "BCRYPT_ROUNDS": "4", "API_KEY": key}
    with ServiceProcess(tmp_path / "api", service, **settings) as api:
        fuzz(api.url, tmp_path, CONFIGURATIONS[service], key=key)
