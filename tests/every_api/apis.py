"""The table of APIs, a row each: what tests have to know of one, beside its row of services and its document."""

import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, get_type_hints
from uuid import UUID

from fastapi import FastAPI

from dev_stack.ports import free_port
from dev_stack.services import Service, named_services
from reservations_service.config.database import open_store
from reservations_service.config.settings import ReservationsSettings
from service_kit.settings.process import ApiSettings
from tests.reservations_service.conftest import ANA, tell

JsonObject = dict[str, Any]
KEYS: Final = "one,two"
EXAMPLE_PASSENGER: Final = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"
"""The same in the examples of both its services, so that what one registers the other can book for."""
_NO_BROKER: Final = f"amqp://guest:guest@127.0.0.1:{free_port()}/"


async def _nothing(_settings: Any) -> None:  # noqa: ANN401 - of any service
    """What most APIs need to know before they are called."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Api:
    """An API.

    Attributes:
        name: Of the service.
        makes: What its paths name, and the collection whose example makes one.
        may_refuse: Operations that may answer 422 to what their schema allows, because no schema can say it.
        fuzzer: What else the fuzzer is told, in its own words.
        not_fuzzed: Paths that the fuzzer cannot call.
        refuses: Settings of its own, and values that they must not have.
        prepare: Puts into its store what its examples stand on.
    """

    name: str
    makes: Mapping[str, str]
    may_refuse: tuple[str, ...] = ()
    fuzzer: str = ""
    not_fuzzed: tuple[str, ...] = ()
    refuses: Mapping[str, tuple[str, ...]]
    prepare: Callable[[Any], Coroutine[Any, Any, None]] = _nothing

    @property
    def service(self) -> Service:
        return named_services([self.name])[0]

    @property
    def is_on_postgres(self) -> bool:
        return "postgres" in self.service.servers

    @property
    def settings_type(self) -> type[ApiSettings]:
        found: type[ApiSettings] = get_type_hints(import_module(f"{self.name}.main").build)["settings"]
        return found

    def build(self, settings: ApiSettings) -> FastAPI:
        app: FastAPI = import_module(f"{self.name}.main").build(settings)
        return app

    def environment(self, store_url: str, database: str, *, keys: str = KEYS) -> dict[str, str]:
        """The settings of one on a database; what is published waits in the outbox."""
        address, name = (
            ("DATABASE_URL", "DATABASE_NAME") if self.is_on_postgres else ("MONGODB_URI", "MONGODB_DATABASE")
        )
        return {address: store_url, name: database, "RABBITMQ_URL": _NO_BROKER, "API_KEY": keys, "BCRYPT_ROUNDS": "4"}

    def settings(self, environment: Mapping[str, str]) -> ApiSettings:
        return self.settings_type.model_validate({name.lower(): value for name, value in environment.items()})


async def _with_the_example_passenger(settings: ReservationsSettings) -> None:
    store = open_store(settings)
    await store.prepare()
    await tell(store, ANA, UUID(EXAMPLE_PASSENGER))
    await store.engine.dispose()


APIS: Final = (
    Api(
        name="user_service",
        makes={"user_id": "/users/"},
        may_refuse=("POST /users/", "PUT /users/{user_id}", "PATCH /users/{user_id}"),  # it counts bytes of passwords
        refuses={"BCRYPT_ROUNDS": ("3", "17", "many")},
    ),
    Api(
        name="orders_service",
        makes={"order_id": "/orders"},
        may_refuse=("POST /orders",),  # one Idempotency-Key with two bodies, as the draft asks for
        refuses={"CANCELLATION_WINDOW_MINUTES": ("-1", "525601", "soon")},
    ),
    Api(
        name="passengers_service",
        makes={"passenger_id": "/passengers"},
        may_refuse=("POST /passengers", "PUT /passengers/{passenger_id}", "PATCH /passengers/{passenger_id}"),  # birth
        not_fuzzed=("/passengers/bulk",),  # it can write no NDJSON, and knows not which ids are taken
        refuses={"MAX_CLOCK_AHEAD_HOURS": ("1", "8785", "soon")},
    ),
    Api(
        name="reservations_service",
        makes={"reservation_id": "/reservations"},
        may_refuse=(  # a passenger that is unknown, a flight back to where it began, a departure that is over
            *("POST /reservations", "PUT /reservations/{reservation_id}", "PATCH /reservations/{reservation_id}"),
            *("PUT /passengers/{passenger_id}", "PATCH /passengers/{passenger_id}"),
        ),
        fuzzer=f'"path.passenger_id" = "{EXAMPLE_PASSENGER}"',
        refuses={"HOLD_MINUTES": ("0", "-1", "10081", "soon")},
        prepare=_with_the_example_passenger,
    ),
)
"""Those whose callers have a key, which all tests of this folder send."""

WITH_ACCOUNTS: Final = (
    Api(
        name="loans_service",
        makes={},
        refuses={"TIME_ZONE": ("Mexico", "../x"), "SECOND_APPROVAL_ABOVE": ("100000", "XYZ:1")},
    ),
)
"""Those whose callers log in. Here their settings alone are tested; who may call what, in the tests of the service."""


@dataclass(frozen=True)
class Operation:
    """An operation of an OpenAPI document.

    Attributes:
        bodies: An example of each content type that it takes.
    """

    method: str
    path: str
    said: JsonObject
    bodies: Mapping[str, bytes]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def statuses(self) -> set[str]:
        return set(self.said["responses"])

    @property
    def parameters(self) -> set[tuple[str, str]]:
        return {(one["in"], one["name"]) for one in self.said.get("parameters", [])}

    @property
    def body(self) -> tuple[bytes, str]:
        """The first of its examples, and its content type; an empty one if it takes none."""
        return next(((body, kind) for kind, body in self.bodies.items()), (b"", "application/json"))


def operations_of(document: JsonObject) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            media = said.get("requestBody", {}).get("content", {})
            yield Operation(method.upper(), path, said, {kind: _example(media[kind], document) for kind in media})


def _example(media: JsonObject, document: JsonObject) -> bytes:
    return (
        str(media["example"]).encode() if "example" in media else json.dumps(_value(media["schema"], document)).encode()
    )


def _value(schema: JsonObject, document: JsonObject) -> Any:  # noqa: ANN401 - any JSON
    if schema.get("type") == "array":
        return [_value(schema["items"], document)]
    name = schema["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]
