"""What `/openapi.json` says of an operation is what it does; `make check` holds the committed documents against it."""

from collections.abc import Iterator

from tests.every_api.apis import JsonObject, Operation
from tests.every_api.conftest import Served

MAY_ALSO = {"200", "201", "204", "408", "409"}
"""What depends on what an operation is for."""


def problems_of(parameters: set[tuple[str, str]], *, takes_a_body: bool) -> Iterator[str]:
    """The statuses that follow from what an operation takes."""
    yield from ("401", "503")
    if takes_a_body:
        yield from ("400", "413", "415", "422")
    if parameters:
        yield "422"
    for place, name in parameters:
        if place == "path":
            yield "404"
        yield from {"cursor": ["400"], "If-Match": ["412"], "If-None-Match": ["304"]}.get(name, [])


def test_documents_the_statuses_that_follow_from_what_it_takes(served: Served) -> None:
    expected = {str(one): set(problems_of(one.parameters, takes_a_body=bool(one.bodies))) for one in served.operations}

    assert {str(one): one.statuses - MAY_ALSO for one in served.operations} == expected


def test_says_of_each_operation_what_it_does(served: Served) -> None:
    assert [
        str(one) for one in served.operations if not (one.said.get("summary") and one.said.get("description"))
    ] == []


def test_takes_every_example_as_it_stands(served: Served) -> None:
    refused = {name: answer.text for name, answer in served.examples.items() if answer.status_code not in {200, 201}}

    assert refused == {}
    assert len(served.examples) == sum(len(one.bodies) for one in served.operations) > 0


def test_answers_as_its_examples_show(served: Served) -> None:
    for operation in served.operations:
        shown = example_of_an_answer(operation, served.document) if operation.bodies else {}
        answer = served.examples[f"{operation} {operation.body[1]}"].json() if shown else {}

        assert {name for name, value in answer.items() if value is not None or name in shown} == shown.keys()


def example_of_an_answer(operation: Operation, document: JsonObject) -> JsonObject:
    """The example of what a success answers, if there is one; FastAPI leaves nulls out of it."""
    status = min({"200", "201"} & operation.statuses)
    schema = operation.said["responses"][status]["content"]["application/json"]["schema"]
    examples: list[JsonObject] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]].get(
        "examples", [{}]
    )
    return examples[0]
