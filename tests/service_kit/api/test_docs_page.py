import gzip
import re

import httpx
import pytest

from service_kit.api.assets import VENDORED
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api
from tests.support.notes_api import NotesSettings

CLOSED = ["/docs", "/docs/assets/docs.js", "/redoc", "/openapi.json"]


def loaded_by(page: httpx.Response) -> list[str]:
    """Where the page's own files are."""
    return re.findall(r'(?:src|href)="([^"]+)"', page.text)


async def test_loads_nothing_from_another_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")

    assert loaded_by(page) != []
    assert [address for address in loaded_by(page) if "//" in address] == []


async def test_loads_only_what_is_there(client: httpx.AsyncClient) -> None:
    addresses = loaded_by(await client.get("/docs"))

    answers = {address: (await client.get(f"/{address}")).status_code for address in addresses}

    assert answers == dict.fromkeys(addresses, 200)


async def test_lets_a_browser_run_no_other_script_and_frame_it_nowhere(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/docs")).headers

    policy = dict(directive.split(" ", 1) for directive in headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert policy["frame-ancestors"] == "'none'"
    assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")


async def test_bears_the_name_of_its_service(client: httpx.AsyncClient) -> None:
    assert "<title>service</title>" in (await client.get("/docs")).text


async def test_the_second_page_of_old_leads_to_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/redoc", follow_redirects=True)

    assert (answer.status_code, answer.url.path) == (200, "/docs")


class TestAssets:
    async def test_are_those_of_swagger_ui(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/docs/assets/swagger-ui-bundle.js")

        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.content == (VENDORED / "swagger-ui-dist" / "swagger-ui-bundle.js").read_bytes()

    async def test_are_kept_by_a_browser_until_they_change(self, client: httpx.AsyncClient) -> None:
        [address] = [address for address in loaded_by(await client.get("/docs")) if "bundle" in address]

        named = await client.get(f"/{address}")
        of_another_release = await client.get("/docs/assets/swagger-ui-bundle.js?v=5.0.0")

        assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert of_another_release.headers["Cache-Control"] == "no-cache"

    async def test_are_not_sent_twice(self, client: httpx.AsyncClient) -> None:
        first = await client.get("/docs/assets/docs.js")

        again = await client.get("/docs/assets/docs.js", headers={"If-None-Match": f'"x", {first.headers["ETag"]}'})

        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])

    @pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None), ("gzip;q=0", None)])
    async def test_come_compressed_for_who_takes_it(
        self, client: httpx.AsyncClient, accepted: str, encoding: str | None
    ) -> None:
        async with client.stream("GET", "/docs/assets/docs.js", headers={"Accept-Encoding": accepted}) as answer:
            body = b"".join([part async for part in answer.aiter_raw()])

        assert (answer.headers.get("Content-Encoding"), answer.headers["Vary"]) == (encoding, "Accept-Encoding")
        assert (gzip.decompress(body) if encoding else body).startswith(b"// Starts Swagger UI.")

    @pytest.mark.parametrize("name", ["LICENSE", "docs.html", "checksums.json", "..%2Fsettings.py", "%00"])
    async def test_are_those_of_the_page_and_no_other_file(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.get(f"/docs/assets/{name}")).status_code == 404


class TestClosed:
    @pytest.fixture
    async def client(self, make_client: ClientMaker) -> httpx.AsyncClient:
        """A client of an API with `DOCS=off`."""
        return await make_client(notes_api.build(NotesSettings(docs=False)))

    @pytest.mark.parametrize("path", CLOSED)
    async def test_is_not_there(self, client: httpx.AsyncClient, path: str) -> None:
        assert (await client.get(path)).status_code == 404

    @pytest.mark.parametrize("path", [*CLOSED, "/notes/seven"])
    async def test_is_mentioned_to_nobody(self, client: httpx.AsyncClient, path: str) -> None:
        detail = (await client.get(path)).json()["detail"]

        assert "docs" not in detail
        assert detail.endswith((".", "integer"))

    async def test_serves_on(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/notes/7")).status_code == 200
