"""Each API as a real process with a key, on a real store, without a broker; started once, when it is first asked."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache

import httpx
import pytest

from dev_stack.servers.mongod import Mongod
from dev_stack.servers.postgres import Postgres
from tests.every_api.apis import APIS, EXAMPLE_PASSENGER, Api, JsonObject, Operation, operations_of
from tests.support.system import ServiceProcess


@dataclass(frozen=True)
class Served:
    """An API that runs.

    Attributes:
        client: Has one of its keys.
        document: What it says of itself.
        examples: What it answered to each example of its document, by the operation and the content type.
        ids: What its paths name.
    """

    api: Api
    client: httpx.Client
    document: JsonObject
    examples: dict[str, httpx.Response]
    ids: dict[str, str]

    @property
    def operations(self) -> list[Operation]:
        return list(operations_of(self.document))

    def call(self, operation: Operation, *, ids: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Call an operation with its example."""
        body, content_type = operation.body
        path = operation.path.format(**(ids or self.ids))
        headers = {"Content-Type": content_type} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.request(operation.method, path, content=body, headers=headers)


StoreUrl = Callable[[Api], str]


@pytest.fixture(scope="session")
def store_url(request: pytest.FixtureRequest) -> StoreUrl:
    """The address of the store of an API."""

    def url(api: Api) -> str:
        server: Mongod | Postgres = request.getfixturevalue("postgres" if api.is_on_postgres else "mongod")
        return server.url

    return url


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory, store_url: StoreUrl) -> Iterator[Callable[[Api], Served]]:
    with ExitStack() as running:

        @cache
        def start(api: Api) -> Served:
            environment = api.environment(store_url(api), f"every_api_{api.name}")
            asyncio.run(api.prepare(api.settings(environment)))
            process = ServiceProcess(tmp_path_factory.mktemp(api.name), api.name, **environment)
            running.enter_context(process)
            headers = {"X-API-Key": environment["API_KEY"].split(",")[1]}
            client = running.enter_context(httpx.Client(base_url=process.url, headers=headers, timeout=30))
            return _with_examples(Served(api, client, client.get("/openapi.json").json(), {}, {}))

        yield start


@pytest.fixture(params=APIS, ids=lambda api: api.name)
def api(request: pytest.FixtureRequest) -> Api:
    """Each API, one after the other."""
    row: Api = request.param
    return row


@pytest.fixture
def served(api: Api, serve: Callable[[Api], Served]) -> Served:
    return serve(api)


def _with_examples(served: Served) -> Served:
    """Send each example in the document's order, and keep what was answered, and the ids of what was made."""
    made_by = {collection: name for name, collection in served.api.makes.items()}
    served.ids["passenger_id"] = EXAMPLE_PASSENGER
    for operation in served.operations:
        for content_type, body in operation.bodies.items():
            headers = {"Content-Type": content_type}
            path = operation.path.format(**served.ids)
            answer = served.client.request(operation.method, path, content=body, headers=headers)
            served.examples[f"{operation} {content_type}"] = answer
            if operation.path in made_by:
                served.ids[made_by[operation.path]] = answer.json()["id"]
    return served


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["type"]).removeprefix("urn:problem-type:")
