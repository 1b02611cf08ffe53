import httpx
import pytest

from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

OPEN, CLOSED = True, False


async def test_leads_to_the_documentation(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", follow_redirects=True)

    assert (answer.status_code, answer.url.path) == (200, "/docs")


@pytest.mark.parametrize(
    ("docs", "home", "leads"),
    [
        (OPEN, "/notes", (307, "/notes")),
        (CLOSED, "/notes", (307, "/notes")),
        (CLOSED, "/docs", (404, None)),
    ],
)
async def test_leads_where_the_service_says_if_there_is_something(
    make_client: ClientMaker, *, docs: bool, home: str, leads: tuple[int, str | None]
) -> None:
    client = await make_client(notes_api.build(NotesSettings(docs=docs), home=home))

    answer = await client.get("/")

    assert (answer.status_code, answer.headers.get("Location")) == leads


async def test_keeps_the_prefix_under_which_it_was_mounted(make_client: ClientMaker) -> None:
    outer = notes_api.build(NotesSettings(docs=False))
    outer.mount("/inner", notes_api.build())
    client = await make_client(outer)

    answer = await client.get("/inner/", follow_redirects=True)

    assert (answer.status_code, answer.url.path) == (200, "/inner/docs")


@pytest.mark.parametrize("docs", [OPEN, CLOSED])
async def test_has_an_icon(make_client: ClientMaker, *, docs: bool) -> None:
    client = await make_client(notes_api.build(NotesSettings(docs=docs)))

    icon = await client.get("/favicon.ico")

    assert (icon.status_code, icon.headers["Content-Type"]) == (200, "image/x-icon")
    assert icon.content.startswith(b"\x00\x00\x01\x00")
    assert len(icon.content) < 2048
