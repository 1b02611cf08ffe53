"""Every example of a body in the published documents is welcome as it stands: Swagger's users send it so."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx

from tests.end_to_end.conftest import API_NAMES, Apis, until

JsonObject = dict[str, Any]

MAKES: Final = {
    "/users/": "user_id",
    "/passengers": "passenger_id",
    "/reservations": "reservation_id",
}
"""What an answer's `id` is called in the paths of those who need it."""
EXAMPLE_PASSENGER: Final = "019a8f3e-7c00-7d4e-9f3a-5b1c2d3e4f50"
"""The same in both services' examples, so that what one registers the other can book for."""


def examples_of(document: JsonObject) -> Iterator[tuple[str, str, str, bytes]]:
    """Method, path, content type and body of each, in the document's order."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for content_type, media in operation.get("requestBody", {}).get("content", {}).items():
                yield method.upper(), path, content_type, body_of(media, document)


def body_of(media: JsonObject, document: JsonObject) -> bytes:
    return (
        str(media["example"]).encode()
        if "example" in media
        else json.dumps(value_of(media["schema"], document)).encode()
    )


def value_of(schema: JsonObject, document: JsonObject) -> Any:  # noqa: ANN401 - any JSON
    if schema.get("type") == "array":
        return [value_of(schema["items"], document)]
    name = schema["$ref"].rpartition("/")[2]
    return document["components"]["schemas"][name]["examples"][0]


def send_examples(client: httpx.Client, ids: dict[str, str]) -> dict[str, int]:
    """Send each; the status of each answer."""
    statuses = {}
    document = client.get("/openapi.json").json()
    for method, path, content_type, body in examples_of(document):
        answer = client.request(method, path.format(**ids), content=body, headers={"Content-Type": content_type})
        statuses[f"{document['info']['title']} {method} {path} {content_type}"] = answer.status_code
        if path in MAKES:
            ids[MAKES[path]] = answer.json()["id"]
    return statuses


def knows_example_passenger(client: httpx.Client) -> bool:
    return client.get(f"/passengers/{EXAMPLE_PASSENGER}").status_code == httpx.codes.OK


def test_every_example_is_taken(apis: Apis) -> None:
    ids: dict[str, str] = {}
    statuses: dict[str, int] = {}
    for service in API_NAMES:
        with apis.client(service) as client:
            if service == "reservations_service":
                until(lambda: knows_example_passenger(client))
            statuses |= send_examples(client, ids)

    assert {example: status for example, status in statuses.items() if status not in {200, 201}} == {}
    assert ids["passenger_id"] == EXAMPLE_PASSENGER
    assert len(statuses) == 19
