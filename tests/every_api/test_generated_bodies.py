"""A body that obeys the published schema is taken, unless it breaks a rule that no schema can say."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import schemathesis
from schemathesis import GenerationMode

from tests.every_api.conftest import Served
from tests.support.ajv import JsonObject, asked, bodies_of
from tests.support.generated import generated

EACH: Final = 25
IDS: Final = {
    "user_id": "665f1c2ab1e4d3a7c9f0e811",
    "passenger_id": "019a8f3e-7c00-7d4e-9f3a-000000000000",
    "reservation_id": "019a9f3e-6c00-7a1b-8c2d-000000000000",
}
"""Of nobody: a good body is answered 404."""

EXCUSES: Final[dict[str, Callable[[Any], bool]]] = {
    "password": lambda text: len(text.encode()) > 72,
    "birth_date": lambda day: day >= datetime.now(UTC).date().isoformat(),
    "departure_at": lambda text: text < "0002" or text > "9998",
    "unit_price": lambda amount: isinstance(amount, float) and amount != round(amount, 2),
    "body": lambda trip: trip["origin"] == trip["destination"],
}
"""What the descriptions say beside the schemas: of each field, when it may be refused all the same."""
OTHER_REASONS: Final = {"departure-in-past", "unknown-passenger", "document-fixed"}


def value_at(body: Any, field: str) -> Any:  # noqa: ANN401 - any JSON
    """What stands where a mistake is said to be."""
    for part in field.split(".")[1:]:
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def mistakes_of(problem: JsonObject) -> list[JsonObject]:
    """The mistakes of a refused body; those of a load stand in rows, which are counted from 1."""
    rows = [
        {**mistake, "field": f"body.{mistake['row'] - 1}.{mistake['field']}"} for mistake in problem.get("rejected", [])
    ]
    return rows or problem.get("errors", [{"field": problem["detail"]}])


def unexcused(body: object, answer: httpx.Response) -> Iterator[JsonObject]:
    """Mistakes that the schema should have told."""
    for mistake in mistakes_of(answer.json()):
        excuse = EXCUSES.get(mistake["field"].rpartition(".")[2])
        if not (excuse and excuse(value_at(body, mistake["field"]))) and not is_repeated(body, mistake):
            yield mistake


def is_repeated(body: object, mistake: JsonObject) -> bool:
    """Whether the row's document is another row's, or that of a passenger with another id: no schema rules it out."""
    if not isinstance(body, list) or not mistake["field"].endswith(".document_number"):
        return False
    if body[mistake["row"] - 1].get("id"):
        return True
    documents = [(row["document_type"].strip().upper(), row["document_number"].strip().upper()) for row in body]
    return documents.count(documents[mistake["row"] - 1]) > 1


def is_refused(answer: httpx.Response) -> bool:
    kind = answer.json().get("type", "").removeprefix("urn:problem-type:") if answer.status_code >= 400 else ""
    return answer.status_code in {400, 415, 422} and kind not in OTHER_REASONS


def test_takes_what_its_schemas_promise(served: Served) -> None:
    service, document = served.api.name, served.document
    operations = schemathesis.openapi.from_dict(document)
    bodies = [
        (operation, place, case.body)
        for operation, place in bodies_of(document)
        for case in generated(strategy_of(operations, operation), EACH)
        if case.media_type == "application/json"
    ]
    agreed = asked({service: document}, [(f"{service}#{place}", body) for _, place, body in bodies])
    refused = [
        (operation, body, answer)
        for operation, _, body in bodies
        if is_refused(answer := send(served.client, operation, body)) and list(unexcused(body, answer))
    ]

    assert [mistake for mistake in agreed.mistakes if mistake] == []
    assert len(bodies) >= EACH
    assert [list(unexcused(body, answer)) for _, body, answer in refused[:3]] == []


def strategy_of(operations: Any, operation: str) -> Any:  # noqa: ANN401 - Schemathesis' own
    method, path = operation.split()
    return operations[path][method].as_strategy(generation_mode=GenerationMode.POSITIVE)


def send(client: httpx.Client, operation: str, body: object) -> httpx.Response:
    method, path = operation.split()
    return client.request(method, path.format(**IDS), json=body)
