from pathlib import Path
from typing import Any

import pytest

from dev_stack.services import SERVICES, Service
from dev_stack.setup import api_reference
from dev_stack.setup.api_reference import ApiReferenceStaleError, ApiUnaskableError, document_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A folder with the reference of the APIs, each of which says its name alone."""
    api_reference.write(tmp_path, _named)
    return tmp_path


def _named(service: Service, _root: Path) -> dict[str, Any]:
    return {"info": {"title": service.name, "description": f"{service.name} does it."}, "paths": {}}


def test_has_a_page_and_a_document_of_each_api(reference: Path) -> None:
    apis = [service.name for service in SERVICES if service.kind == "api"]

    files = {file.name for file in (reference / "docs" / "api").iterdir()}
    assert files == {"README.md", *(f"{name}.md" for name in apis), *(f"{name}.openapi.json" for name in apis)}
    api_reference.check(reference, _named)


def test_shows_what_differs(reference: Path) -> None:
    page = reference / "docs" / "api" / "user_service.md"
    page.write_text(page.read_text().replace("does it", "did it"))

    with pytest.raises(
        ApiReferenceStaleError, match=r"-user_service did it\.\n\+user_service does it\.[\s\S]*make api"
    ):
        api_reference.check(reference, _named)


def test_removes_the_files_of_a_service_that_is_no_more(reference: Path) -> None:
    left = reference / "docs" / "api" / "gone_service.md"
    left.write_text("# gone_service\n")

    with pytest.raises(ApiReferenceStaleError, match="gone_service"):
        api_reference.check(reference, _named)
    api_reference.write(reference, _named)

    assert not left.exists()


def test_asks_a_service_as_it_is_wherever_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [users, *_] = SERVICES
    (tmp_path / ".env").write_text("DOCS=off\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("API_KEY", "")

    document = document_of(users, ROOT)

    assert document["info"]["title"] == "user_service"
    assert "401" in document["paths"]["/users/"]["get"]["responses"]


def test_says_why_a_service_cannot_be_asked() -> None:
    with pytest.raises(ApiUnaskableError, match="no_service cannot be asked"):
        document_of(Service(name="no_service", command=(), port=1), ROOT)
