import subprocess
import sys
from pathlib import Path

import pytest

from tests.dev_stack.conftest import ROOT

PROJECT = """
[project]
name = "shop"
version = "1"
[tool.deptry]
known_first_party = ["service_kit", "orders_service"]
[dependency-groups]
web = ["starlette"]
orders-service = [{{ include-group = "web" }}, {declared}]
dev = [{{ include-group = "orders-service" }}, "asyncpg", "pytest"]
"""
CODE = {
    "service_kit/__init__.py": "",
    "service_kit/api/__init__.py": "",
    "service_kit/api/app.py": "import starlette",
    "service_kit/runtime/__init__.py": "",
    "service_kit/runtime/serve.py": "import uvicorn",
    "service_kit/postgres/__init__.py": "",
    "service_kit/postgres/engine.py": "import asyncpg",
    "orders_service/__init__.py": "",
    "orders_service/main.py": "import service_kit.api.app\nimport pydantic",
    "tests/test_orders.py": "import pytest",
}


def check(folder: Path, *declared: str) -> subprocess.CompletedProcess[str]:
    """Check a project whose service declares these."""
    for path, code in CODE.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(code)
    (folder / "pyproject.toml").write_text(PROJECT.format(declared=", ".join(f'"{name}"' for name in declared)))
    run = "from pathlib import Path; from dev_stack.setup import declared; declared.check_all(Path.cwd())"
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", run],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_is_content_with_what_the_service_and_its_part_of_the_kit_import(tmp_path: Path) -> None:
    done = check(tmp_path, "pydantic", "uvicorn")

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("declared", "complaint"),
    [
        (["uvicorn"], "orders_service/main.py:2:8: DEP003 'pydantic' imported but it is a transitive dependency"),
        (["pydantic"], "service_kit/runtime/serve.py:1:8: DEP003 'uvicorn' imported but it is a transitive dependency"),
        (["pydantic", "uvicorn", "asyncpg"], "DEP002 'asyncpg' defined as a dependency but not used in the codebase"),
    ],
    ids=["left out", "left out of the kit's own", "that only other services need"],
)
def test_tells_what_is_not_declared_or_not_imported(tmp_path: Path, declared: list[str], complaint: str) -> None:
    done = check(tmp_path, *declared)

    assert done.returncode == 1
    assert "orders-service:" in done.stderr
    assert complaint in done.stderr
