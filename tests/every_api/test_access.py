"""Who may call: whoever has one of the keys; pages, health and metrics are open."""

import httpx
import pytest

from tests.every_api.conftest import Served, code_of


@pytest.mark.parametrize("key", [{}, {"X-API-Key": "three"}], ids=["none", "another"])
def test_lets_nobody_do_anything_without_a_key_of_its_own(served: Served, key: dict[str, str]) -> None:
    with httpx.Client(base_url=served.client.base_url, headers=key) as stranger:
        answers = {
            str(one): stranger.request(one.method, one.path.format(**served.ids), content=one.body[0])
            for one in served.operations
        }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert {code_of(answer) for answer in answers.values()} == {"api-key-required"}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/", 307), ("/docs", 200), ("/openapi.json", 200), ("/favicon.ico", 200)),
        *(("/health/live", 200), ("/health/ready", 200), ("/metrics", 200)),
    ],
)
def test_shows_everybody_its_pages_its_health_and_its_metrics(served: Served, path: str, status: int) -> None:
    assert httpx.get(served.client.base_url.join(path)).status_code == status


def test_works_without_a_broker_and_says_so(served: Served) -> None:
    health = served.client.get("/health/ready").json()

    assert health["checks"]["postgres" if served.api.is_on_postgres else "mongodb"] == "ok"
    assert health["status"] == ("degraded" if "rabbitmq" in served.api.service.servers else "ok")
