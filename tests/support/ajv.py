"""Ajv, which most of those who call us from JavaScript check their bodies with."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dev_stack.setup.node_tools import node_command

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What Ajv says.

    Attributes:
        errors: Of the schemas that do not compile, by their place.
        mistakes: Of each value, in their order; none of a good one.
    """

    errors: Mapping[str, str]
    mistakes: Sequence[list[JsonObject] | None]


def asked(documents: Mapping[str, JsonObject], values: Sequence[tuple[str, object]] = ()) -> Verdict:
    """Compile all schemas of the documents, and hold values against some of them, each named by its place."""
    schemas = [f"{name}#{place}" for name, document in documents.items() for place in places_of(document)]
    question = {"documents": documents, "schemas": schemas, "values": values}
    done = subprocess.run(  # noqa: S603 - our own command
        node_command("ajv.js"), input=json.dumps(question), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Verdict(**json.loads(done.stdout))


def places_of(value: object, place: str = "") -> Iterator[str]:
    """JSON pointers to each schema: what is called so, and the components."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        here = f"{place}/{str(key).replace('~', '~0').replace('/', '~1').replace('{', '%7B').replace('}', '%7D')}"
        if key == "schema" or place == "/components/schemas":
            yield here
        else:
            yield from places_of(part, here)


def bodies_of(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Of each operation that takes JSON: its method and path, and the place of its schema."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                place = "/".join(
                    ["", "paths", path.replace("/", "~1"), method, "requestBody/content/application~1json"]
                )
                yield f"{method.upper()} {path}", f"{place.replace('{', '%7B').replace('}', '%7D')}/schema"
