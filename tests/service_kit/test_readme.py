from pathlib import Path

import pytest

KIT = Path(__file__).parents[2] / "service_kit"
MODULES = [path for path in sorted(KIT.rglob("*.py")) if path.name != "__init__.py" and "alembic" not in path.parts]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.relative_to(KIT)))
def test_names_every_module(module: Path) -> None:
    readme = (KIT / "README.md").read_text()
    listed_by_name = module.parent.name in {"fields", "observability"}

    assert (module.stem if listed_by_name else module.name) in readme
