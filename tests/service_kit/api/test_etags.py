from collections.abc import Awaitable, Callable

import pytest
from fastapi import FastAPI

from service_kit.api.etags import AcceptedVersions, KnownVersions, accepts, etag_of
from tests.service_kit.conftest import ClientMaker

Asker = Callable[[str | None], Awaitable[list[int] | None]]


@pytest.fixture
async def accepted(make_client: ClientMaker) -> Asker:
    """Asks an API which versions a request's `If-Match` accepts."""
    app = FastAPI()

    @app.get("/")
    async def read(versions: AcceptedVersions) -> list[int] | None:
        return versions

    client = await make_client(app)

    async def ask(if_match: str | None) -> list[int] | None:
        headers = {} if if_match is None else {b"If-Match": if_match.encode()}
        versions: list[int] | None = (await client.get("/", headers=headers)).json()
        return versions

    return ask


@pytest.mark.parametrize(
    ("if_match", "versions"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('"7"', [7]),
        ('"7", "8"', [7, 8]),
        ('"7","8"', [7, 8]),
        ('W/"7"', []),
        ('W/"7", "8"', [8]),
        ('"8", W/"7"', [8]),
        ('"7, "8"', []),
        ('"somebody else\'s", "7"', [7]),
        ('"07"', []),
        ('"-7"', []),
        ('"\N{ARABIC-INDIC DIGIT SEVEN}"', []),
        ('"9999999999999999999"', []),
        ('""', []),
        ("7", []),
        ("", []),
    ],
)
async def test_reads_the_versions_that_an_edit_accepts(
    accepted: Asker, if_match: str | None, versions: list[int] | None
) -> None:
    assert await accepted(if_match) == versions


@pytest.mark.parametrize(("kind", "name"), [(AcceptedVersions, "If-Match"), (KnownVersions, "If-None-Match")])
def test_lists_the_header_in_the_document(kind: object, name: str) -> None:
    app = FastAPI()

    @app.get("/")
    async def read(versions: kind) -> None: ...  # type: ignore[valid-type]  # the two that there are

    [parameter] = app.openapi()["paths"]["/"]["get"]["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == (name, "header", False)
    assert parameter["schema"]["type"] == "string"


async def test_reads_the_tag_that_it_has_made(accepted: Asker) -> None:
    assert await accepted(etag_of(41)) == [41]


@pytest.mark.parametrize(
    ("accepted_versions", "welcome"), [(None, True), ([41], True), ([40, 41], True), ([40], False), ([], False)]
)
def test_an_edit_of_a_version_is_welcome_if_it_is_accepted(
    accepted_versions: list[int] | None, *, welcome: bool
) -> None:
    assert accepts(accepted_versions, 41) is welcome
