from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI

from service_kit.problems import PROBLEM_JSON
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

pytestmark = pytest.mark.usefixtures("clean_environment")


def statuses(app: FastAPI, method: str, path: str) -> set[str]:
    return set(app.openapi()["paths"][path][method]["responses"])


def references_in(document: object) -> set[str]:
    if isinstance(document, dict):
        own = {document["$ref"]} if isinstance(document.get("$ref"), str) else set()
        return own.union(*(references_in(value) for value in document.values()))
    if isinstance(document, list):
        return set().union(*(references_in(value) for value in document))
    return set()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("get", "/notes/count", {"200"}),
        ("get", "/notes/{number}", {"200", "422"}),
        ("get", "/notes", {"200", "400", "422"}),
        ("post", "/notes", {"201", "400", "413", "415", "422"}),
        ("put", "/notes/{number}", {"200", "400", "413", "415", "422"}),
        ("post", "/notes/gone", {"200", "410"}),
    ],
)
def test_promises_only_the_errors_that_can_come(method: str, path: str, expected: set[str]) -> None:
    assert statuses(notes_api.build(), method, path) == expected


@pytest.mark.parametrize("path", ["/notes/count", "/notes/{number}"])
def test_promises_a_503_where_there_is_a_store(path: str) -> None:
    app = notes_api.build(stored=True)

    assert "503" in statuses(app, "get", path)


def test_promises_a_401_and_shows_the_authorize_button_where_keys_are_set() -> None:
    app = notes_api.build(NotesSettings(api_key="a key"))

    assert statuses(app, "get", "/notes/count") == {"200", "401"}
    assert app.openapi()["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"


def test_knows_of_no_key_where_none_is_set() -> None:
    assert "securitySchemes" not in notes_api.build().openapi()["components"]


def test_every_error_is_a_problem() -> None:
    operations = [
        operation
        for methods in notes_api.build(stored=True).openapi()["paths"].values()
        for operation in methods.values()
    ]

    errors = [
        response for operation in operations for status, response in operation["responses"].items() if status >= "400"
    ]

    assert len(errors) > 10
    for error in errors:
        assert error["content"].keys() == {PROBLEM_JSON}
        assert error["content"][PROBLEM_JSON]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_errors_of_a_route_and_common_ones_share_a_status() -> None:
    response = notes_api.build().openapi()["paths"]["/notes"]["post"]["responses"]["422"]

    assert response["description"] == (
        "`note-refused`: The note is not fit to print. "
        "`invalid-request`: The request was read, and breaks the rules that `/docs` lists."
    )
    assert response["content"][PROBLEM_JSON]["examples"].keys() == {"note-refused", "invalid-request"}


def test_nothing_of_the_frameworks_own_errors_is_left_over() -> None:
    schemas = notes_api.build().openapi()["components"]["schemas"]

    assert {"Problem", "InvalidField"} <= schemas.keys()
    assert not {"HTTPValidationError", "ValidationError"} & schemas.keys()


@pytest.mark.parametrize("key", ["", "a key"])
def test_every_reference_leads_somewhere(key: str) -> None:
    document = notes_api.build(NotesSettings(api_key=key), stored=True).openapi()

    assert references_in(document) == {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}


@pytest.mark.parametrize("key", ["", "a key"])
def test_is_a_valid_openapi_document(key: str) -> None:
    document = notes_api.build(NotesSettings(api_key=key), stored=True).openapi()

    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


def test_asking_twice_answers_the_same() -> None:
    app = notes_api.build()
    first: dict[str, Any] = app.openapi()

    assert app.openapi() == first
