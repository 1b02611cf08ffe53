from pathlib import Path

import pytest

from dev_stack.setup.imports import ImportsBrokenError, check

PROJECT = """
[tool.importlinter]
root_packages = ["kit", "*_service"]
[[tool.importlinter.contracts]]
name = "No service knows another"
type = "independence"
modules = ["*_service"]
[[tool.importlinter.contracts]]
name = "A rule knows no kit"
type = "forbidden"
source_modules = ["*_service.services"]
forbidden_modules = ["kit"]
"""
CODE = {
    "kit/__init__.py": "",
    "orders_service/__init__.py": "",
    "orders_service/services.py": "",
    "users_service/__init__.py": "",
}


def write(folder: Path, **changed: str) -> Path:
    """A project with these lines in its modules; `__` stands for a slash."""
    code = CODE | {f"{name.replace('__', '/')}.py": text for name, text in changed.items()}
    for path, text in code.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    (folder / "pyproject.toml").write_text(PROJECT)
    return folder


def test_stands_for_every_service_and_leaves_out_what_one_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(write(tmp_path))

    assert capsys.readouterr().out == "Contracts: 2 kept, 0 broken.\n"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"users_service__main": "import orders_service.services"}, "users_service.main -> orders_service.services"),
        ({"orders_service__services": "import kit"}, "orders_service.services -> kit"),
    ],
)
def test_tells_which_import_breaks_a_contract(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    with pytest.raises(ImportsBrokenError, match=told):
        check(write(tmp_path, **changed))
