"""What no client of good will sends: never a 500, and always a sentence."""

import json

import pytest

from tests.every_api.apis import Operation
from tests.every_api.conftest import Served, code_of

JSON = "application/json"
MEGABYTE = 1_048_576


def takes_json(served: Served) -> list[Operation]:
    """Operations on one thing that take JSON; a load refuses rows instead."""
    return [one for one in served.operations if JSON in one.bodies and not one.bodies[JSON].startswith(b"[")]


def post(served: Served, operation: Operation, body: bytes, content_type: str = JSON) -> tuple[int, str]:
    path = operation.path.format(**served.ids)
    headers = {"Content-Type": content_type}
    answer = served.client.request(operation.method, path, content=body, headers=headers)
    assert answer.json()["detail"]
    return answer.status_code, code_of(answer)


def texts_in(operation: Operation) -> list[str]:
    """The fields of its example that are text."""
    return [name for name, value in json.loads(operation.bodies[JSON]).items() if isinstance(value, str)]


def with_text(operation: Operation, field: str, escaped: str) -> bytes:
    """The example, in which a text is another one, written as JSON escapes it."""
    return json.dumps(json.loads(operation.bodies[JSON]) | {field: "HERE"}).replace("HERE", escaped).encode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "invalid-request"),
        (b"null", 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
        (b'{"name": "Ana', 400, "malformed-request"),
        (b'{"name": "\xff\xfe"}', 400, "malformed-request"),
        ('{"name": "Ana"}'.encode("utf-16"), 400, "malformed-request"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "malformed-request"),
        (b"[" * 100_000, 400, "malformed-request"),
        (b'"' + b"a" * 2 * MEGABYTE + b'"', 413, "body-too-large"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_refuses_a_body_with_a_sentence(served: Served, body: bytes, status: int, code: str) -> None:
    answers = {str(one): post(served, one, body) for one in takes_json(served)}

    assert answers
    assert answers == dict.fromkeys(answers, (status, code))


@pytest.mark.parametrize(
    ("escaped", "status", "code"),
    [(r"\ud800", 400, "malformed-request"), (r"\u0000", 422, "invalid-request"), (r"A\u0000", 422, "invalid-request")],
)
def test_refuses_text_that_is_none(served: Served, escaped: str, status: int, code: str) -> None:
    answers = {
        f"{one}: {field}": post(served, one, with_text(one, field, escaped))
        for one in takes_json(served)
        for field in texts_in(one)
    }

    assert (status, code) in answers.values()
    assert set(answers.values()) <= {(status, code), (409, "document-fixed")}


def test_refuses_a_body_that_is_not_called_json(served: Served) -> None:
    answers = {str(one): post(served, one, b"name=Ana", "text/plain") for one in takes_json(served)}

    assert answers == dict.fromkeys(answers, (415, "unsupported-media-type"))
