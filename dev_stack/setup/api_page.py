"""Writes an OpenAPI document as a page: each operation with its parameters, its body and all statuses of an answer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

JsonObject = dict[str, Any]

_PROBLEM: Final = "application/problem+json"
_WRITTEN: Final = "<!-- Written by `make api`. -->"


_ABOUT: Final = """
What each API takes and answers, made of the OpenAPI documents that the services publish at `/openapi.json`. With
`make up` running, the same is at `/docs`, where requests can be tried.
""".strip()
_ERRORS: Final = """
Every error is a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): `application/problem+json`,
whose `type` is `urn:problem-type:` and one of the codes in the tables. A code keeps its meaning
([versioning](../versioning.md)).
""".strip()


def pages_list(documents: Sequence[JsonObject]) -> str:
    """The page that leads to the others."""
    rows = [_row(_name(document), document["info"]["description"], _links(document)) for document in documents]
    return _text("# The APIs", _WRITTEN, _ABOUT, _table(["service", "what it is", "more"], rows), _ERRORS)


def page_of(document: JsonObject) -> str:
    """The page of one API."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    overview = [
        _row(f"[`{method} {path}`](#{_anchor(method, path)})", operation["summary"], " ".join(operation["responses"]))
        for method, path, operation in operations
    ]
    return _text(
        f"# {_name(document)}",
        _WRITTEN,
        document["info"]["description"],
        f"This page is made of [{_name(document)}.openapi.json]({_name(document)}.openapi.json).",
        _table(["operation", "what it does", "statuses"], overview),
        *(part for method, path, operation in operations for part in _operation(method, path, operation, document)),
    )


def _operation(method: str, path: str, operation: JsonObject, document: JsonObject) -> Iterator[str]:
    yield f"## {method} {path}"
    if "description" in operation:
        yield str(operation["description"])
    if parameters := operation.get("parameters"):
        rows = [
            _row(f"`{one['name']}`", one["in"], "yes" if one["required"] else "", one.get("description", ""))
            for one in parameters
        ]
        yield _table(["parameter", "in", "required", "what it is"], rows)
    yield from _body(operation, document)
    answers = [
        _row(status, _codes(answer), _meaning(status, answer)) for status, answer in operation["responses"].items()
    ]
    yield _table(["status", "codes", "when"], answers)


def _body(operation: JsonObject, document: JsonObject) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        yield f"Body, as {' or '.join(f'`{kind}`' for kind in content)}:"
    for media in ({json.dumps(media): media for media in content.values()}).values():
        yield from _examples(media, document)


def _examples(media: JsonObject, document: JsonObject) -> Iterator[str]:
    if "example" in media:
        yield f"```\n{str(media['example']).rstrip()}\n```"
        return
    named: Mapping[str, JsonObject] = media.get("examples") or {"": {"value": _example(media["schema"], document)}}
    for one in named.values():
        if one["value"] is not None:
            yield f"```json\n{json.dumps(one['value'], indent=2, ensure_ascii=False)}\n```"


def _example(schema: JsonObject, document: JsonObject) -> Any:  # noqa: ANN401 - any JSON
    """The example of a schema's model; None if it has none."""
    if schema.get("type") == "array":
        return [_example(schema["items"], document)]
    model = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
    return next(iter(model.get("examples", [])), None)


def _codes(answer: JsonObject) -> str:
    return " ".join(f"`{code}`" for code in answer.get("content", {}).get(_PROBLEM, {}).get("examples", {}))


def _meaning(status: str, answer: JsonObject) -> str:
    """What the document says; of a problem, the sentences of its codes."""
    problems = answer.get("content", {}).get(_PROBLEM, {}).get("examples", {})
    if problems:
        return " ".join(problem["value"]["detail"] for problem in problems.values())
    return HTTPStatus(int(status)).phrase if answer["description"] == "Successful Response" else answer["description"]


def _name(document: JsonObject) -> str:
    return str(document["info"]["title"])


def _links(document: JsonObject) -> str:
    return f"[page]({_name(document)}.md), [OpenAPI]({_name(document)}.openapi.json)"


def _anchor(method: str, path: str) -> str:
    """As GitHub makes it of the heading."""
    kept = "".join(sign for sign in f"{method} {path}".lower() if sign.isalnum() or sign in " _-")
    return kept.replace(" ", "-")


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([_row(*head), _row(*("---" for _ in head)), *rows])


def _row(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _text(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"
