"""What the APIs say of themselves, in docs/api: `python -m dev_stack api`, or `make api`.

Of each API in the table of services the OpenAPI document as it serves it, and a page for people that is made of it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from pathlib import Path
from typing import Any, Final

from dev_stack.errors import StackError
from dev_stack.services import SERVICES, Service
from dev_stack.setup.api_page import page_of, pages_list

_FOLDER: Final = Path("docs", "api")
_SHOWN_LINES: Final = 40
_ASK: Final = "import importlib, json, sys; print(json.dumps(importlib.import_module(sys.argv[1]).app.openapi()))"
_PHRASES: Final = {"Content Too Large": "Request Entity Too Large", "Unprocessable Content": "Unprocessable Entity"}
"""Python 3.13 calls two statuses otherwise."""

JsonObject = dict[str, Any]


class ApiReferenceStaleError(StackError):
    """docs/api does not say what the code says."""


class ApiUnaskableError(StackError):
    """An API cannot be built to be asked."""


def document_of(service: Service, root: Path) -> JsonObject:
    """The OpenAPI document of an API that wants a key; neither the environment nor a `.env` can change it.

    Raises:
        ApiUnaskableError: With what Python says.
    """
    with tempfile.TemporaryDirectory() as elsewhere:
        asked = subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-c", _ASK, f"{service.name}.main"],
            cwd=elsewhere,
            env={"PYTHONPATH": str(root), "PATH": os.defpath, "API_KEY": "a-key"},
            check=False,
            capture_output=True,
            text=True,
        )
    if asked.returncode:
        raise ApiUnaskableError(f"{service.name} cannot be asked for its document:\n{asked.stderr}")
    text = asked.stdout
    for newer, older in _PHRASES.items():
        text = text.replace(newer, older)
    document: JsonObject = json.loads(text)
    return document


Ask = Callable[[Service, Path], JsonObject]


def files(root: Path, ask: Ask = document_of) -> Mapping[Path, str]:
    """Every file of docs/api, with what it has to say.

    Raises:
        ApiUnaskableError: An API cannot be built.
    """
    apis = [service for service in SERVICES if service.kind == "api"]
    with ThreadPoolExecutor() as pool:
        documents = list(pool.map(lambda service: ask(service, root), apis))
    return {
        _FOLDER / "README.md": pages_list(documents),
        **{_FOLDER / f"{api.name}.md": page_of(document) for api, document in zip(apis, documents, strict=True)},
        **{
            _FOLDER / f"{api.name}.openapi.json": f"{json.dumps(document, indent=2)}\n"
            for api, document in zip(apis, documents, strict=True)
        },
    }


def write(root: Path, ask: Ask = document_of) -> None:
    """Write all files, and remove those of services that are no more."""
    right = files(root, ask)
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    for file in set(_there(root)) - right.keys():
        (root / file).unlink()
    for file, text in right.items():
        (root / file).write_text(text)


def check(root: Path, ask: Ask = document_of) -> None:
    """Hold the files against the code.

    Raises:
        ApiReferenceStaleError: With the lines that differ.
    """
    right = files(root, ask)
    lines = [line for file in sorted({*_there(root), *right}) for line in _difference(root, file, right.get(file, ""))]
    if lines:
        raise ApiReferenceStaleError("\n".join([*lines[:_SHOWN_LINES], "docs/api is stale: run `make api`."]))


def _there(root: Path) -> Iterator[Path]:
    return (file.relative_to(root) for file in (root / _FOLDER).glob("*"))


def _difference(root: Path, file: Path, right: str) -> list[str]:
    text = (root / file).read_text() if (root / file).exists() else ""
    return list(unified_diff(text.splitlines(), right.splitlines(), str(file), str(file), lineterm="", n=1))
