from dev_stack.services import SERVICES
from tests.every_api.apis import APIS, WITH_ACCOUNTS


def test_every_api_has_a_row() -> None:
    apis = [service for service in SERVICES if service.kind == "api"]

    assert [api.name for api in APIS] == [service.name for service in apis if not service.has_accounts]
    assert [api.name for api in WITH_ACCOUNTS] == [service.name for service in apis if service.has_accounts]
