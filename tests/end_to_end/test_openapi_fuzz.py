"""A fuzzer that believes every word of `/openapi.json`, and sends what should and what should not be taken."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fuzzer import ANY_VERSION, may_refuse
from tests.support.system import ServiceProcess

EXAMPLES = 15

CONFIGURATIONS = {
    # JSON schema cannot count the bytes of a password.
    "user_service": f"{ANY_VERSION}\n{may_refuse('POST /users/', '422')}\n{may_refuse('PUT /users/{user_id}', '422')}",
    # One Idempotency-Key with two bodies is 422, as the draft asks for.
    "orders_service": may_refuse("POST /orders", "422"),
}


@pytest.fixture(params=["", "a-key"], ids=["open", "with_a_key"])
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CONFIGURATIONS)
def api(
    request: pytest.FixtureRequest, addresses: dict[str, str], key: str, tmp_path: Path
) -> Iterator[ServiceProcess]:
    """A fresh API with nothing in its database."""
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATIONS[request.param])
    settings = {**addresses, "MONGODB_DATABASE": tmp_path.name, "BCRYPT_ROUNDS": "4", "API_KEY": key}
    with ServiceProcess(tmp_path / "api", request.param, **settings) as process:
        yield process


def test_a_fuzzer_finds_nothing(api: ServiceProcess, key: str, tmp_path: Path) -> None:
    fuzzer = subprocess.run(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.url}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--max-examples", str(EXAMPLES)),
            *("--generation-deterministic", "--no-shrink", "--no-color"),
            *(("--header", f"X-API-Key: {key}") if key else ()),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert fuzzer.returncode == 0, fuzzer.stdout + fuzzer.stderr
    assert "No issues found" in fuzzer.stdout
