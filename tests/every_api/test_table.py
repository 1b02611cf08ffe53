from dev_stack.services import SERVICES
from tests.every_api.apis import APIS


def test_every_api_has_a_row() -> None:
    assert [api.name for api in APIS] == [service.name for service in SERVICES if service.kind == "api"]
