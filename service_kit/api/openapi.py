"""What `/docs` says of errors: each operation lists the problems that its guard, its parameters and its body can bring.

FastAPI promises a 422 of its own shape, and knows nothing of what our middlewares answer.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from service_kit.api.guards import Guard
from service_kit.api.merge_patch import MERGE_PATCH
from service_kit.api.request_body import BodyTooLargeError
from service_kit.problems import (
    PROBLEM_JSON,
    InvalidRequestError,
    MalformedRequestError,
    Problem,
    ServiceError,
    StoreUnavailableError,
    UnsupportedMediaTypeError,
    problems,
)

_JsonObject = dict[str, Any]
_Refusals = Mapping[str, Sequence[type[ServiceError]]]
_OF_FASTAPI = ("HTTPValidationError", "ValidationError")


def document_problems(app: FastAPI, *, guards: Collection[Guard], stored: bool) -> None:
    """Complete the OpenAPI document of `app`, once its routes are there.

    Args:
        app: The API.
        guards: Who stands before its operations.
        stored: Whether its operations need a store, and so can answer 503.
    """
    generate = app.openapi
    refusals = {guard.scheme.scheme_name: guard.refusals for guard in guards}

    def openapi() -> _JsonObject:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            _replace_schemas(schemas)
            for methods in document["paths"].values():
                for operation in methods.values():
                    _complete(operation, refusals, stored=stored)
                if "patch" in methods:
                    _name_merge_patch(methods["patch"]["requestBody"]["content"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _replace_schemas(schemas: _JsonObject) -> None:
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs"), Problem=schema)


def _name_merge_patch(content: _JsonObject) -> None:
    """Each `PATCH` of ours takes a JSON merge patch under either name, its own first."""
    content |= {MERGE_PATCH: content["application/json"], "application/json": content.pop("application/json")}


def _complete(operation: _JsonObject, refusals: _Refusals, *, stored: bool) -> None:
    if refusals:
        operation.setdefault("security", [])  # says that this one is open on purpose
    responses: dict[str, _JsonObject] = operation["responses"]
    if "application/json" in responses.get("422", {}).get("content", {}):
        del responses["422"]  # FastAPI's own
    for status, common in problems(*_common_problems(operation, refusals, stored=stored)).items():
        responses[str(status)] = _merged(responses.get(str(status)), common)
    operation["responses"] = dict(sorted(responses.items()))


def _common_problems(operation: _JsonObject, refusals: _Refusals, *, stored: bool) -> list[type[ServiceError]]:
    schemes = [name for schemes in operation.get("security", ()) for name in schemes]
    kinds = [kind for name in schemes for kind in refusals.get(name, ())]
    if "requestBody" in operation:
        kinds += [MalformedRequestError, BodyTooLargeError, UnsupportedMediaTypeError]
    if "requestBody" in operation or "parameters" in operation:
        kinds.append(InvalidRequestError)
    if stored:
        kinds.append(StoreUnavailableError)
    return kinds


def _merged(own: _JsonObject | None, common: _JsonObject) -> _JsonObject:
    """The common problem of a status, beside those that the route has documented itself by `problems`."""
    if own is None:
        return common
    examples = own["content"][PROBLEM_JSON]["examples"]
    added = common["content"][PROBLEM_JSON]["examples"]
    if added.keys() <= examples.keys():
        return own
    content = {PROBLEM_JSON: {**common["content"][PROBLEM_JSON], "examples": examples | added}}
    return {"description": f"{own['description']} {common['description']}", "content": content}
