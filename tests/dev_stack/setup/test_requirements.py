import zipfile
from pathlib import Path

import pytest

from dev_stack.setup.requirements import GroupUnsolvableError, RequirementsStaleError, check_all, write_all

PROJECT = """
[project]
name = "shop"
version = "1"
[dependency-groups]
dev = ["brick{bound}"]
orders-service = ["brick"]
unbuilt-service = ["brick"]
kit = ["brick"]
"""


def _release(folder: Path, version: str) -> None:
    """A wheel with nothing in it but its name."""
    about = f"brick-{version}.dist-info"
    with zipfile.ZipFile(folder / f"brick-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: brick\nVersion: {version}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


@pytest.fixture
def index(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that is the whole index, so that no network is needed."""
    folder = tmp_path_factory.mktemp("index")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    _release(folder, "1.0")
    return folder


@pytest.fixture
def project(tmp_path: Path, index: Path) -> Path:
    """A project whose requirements files are fresh."""
    assert index.exists()
    (tmp_path / "orders_service").mkdir()
    _ask_for(tmp_path, ">=1")
    write_all(tmp_path)
    return tmp_path


def _ask_for(project: Path, bound: str) -> None:
    (project / "pyproject.toml").write_text(PROJECT.format(bound=bound))


def test_compiles_development_and_every_service_folder_that_has_a_group(project: Path) -> None:
    files = sorted(str(path.relative_to(project)) for path in project.rglob("*requirements*.txt"))
    assert files == ["orders_service/requirements.txt", "requirements-dev.txt"]
    text = (project / "requirements-dev.txt").read_text()
    assert "brick==1.0" in text
    assert "--hash=sha256:" in text
    assert "make lock" in text


def test_the_index_is_not_named_in_a_file(project: Path, index: Path) -> None:
    assert str(index) not in (project / "requirements-dev.txt").read_text()


def test_fresh_files_pass(project: Path) -> None:
    assert check_all(project) == []


def test_a_new_release_makes_nothing_stale(project: Path, index: Path) -> None:
    _release(index, "2.0")
    assert check_all(project) == []


def test_an_upgrade_takes_a_new_release(project: Path, index: Path) -> None:
    _release(index, "2.0")
    write_all(project, "--upgrade")
    assert "brick==2.0" in (project / "requirements-dev.txt").read_text()


def test_a_file_that_does_not_satisfy_its_group_is_stale(project: Path, index: Path) -> None:
    _release(index, "2.0")
    _ask_for(project, ">=2")
    with pytest.raises(RequirementsStaleError, match=r"^requirements-dev\.txt is stale: run `make lock`\.$"):
        check_all(project)


def test_a_file_edited_by_hand_is_stale(project: Path) -> None:
    file = project / "orders_service" / "requirements.txt"
    file.write_text(file.read_text() + "mortar==1.0\n")
    with pytest.raises(RequirementsStaleError, match=r"orders_service/requirements\.txt is stale"):
        check_all(project)


def test_a_missing_file_is_stale(project: Path) -> None:
    (project / "requirements-dev.txt").unlink()
    with pytest.raises(RequirementsStaleError, match=r"requirements-dev\.txt is stale"):
        check_all(project)


def test_the_check_changes_no_file(project: Path) -> None:
    _ask_for(project, "<1.5")
    before = (project / "requirements-dev.txt").read_text()
    check_all(project)
    assert (project / "requirements-dev.txt").read_text() == before


def test_a_group_without_a_solution_is_refused_in_the_words_of_uv(project: Path) -> None:
    _ask_for(project, ">=9")
    with pytest.raises(GroupUnsolvableError, match=r"(?s)The group dev cannot be compiled:.*brick"):
        write_all(project)


def test_what_cannot_be_checked_for_want_of_the_index_is_said(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    assert check_all(project) == [
        "requirements-dev.txt was not checked: the package index cannot be reached.",
        "orders_service/requirements.txt was not checked: the package index cannot be reached.",
    ]
