import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from service_kit.api.pagination import link_next
from service_kit.pagination import BadCursorError, decode_cursor, encode_cursor


@pytest.mark.parametrize("key", ["", "a", "2026-11-20T22:00:00.000000Z|650c1f1e5f", "a:b:c", "ñ\N{PARTY POPPER}", "\0"])
def test_a_cursor_gives_its_key_back(key: str) -> None:
    assert decode_cursor(encode_cursor(key)) == key


@pytest.mark.parametrize("key", ["a", "ab", "abc", "ÿþ", "???>>>"])
def test_a_cursor_fits_into_an_address_as_it_is(key: str) -> None:
    assert str(httpx.URL("http://notes", params={"cursor": encode_cursor(key)}).query, "ascii") == (
        f"cursor={encode_cursor(key)}"
    )


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "!!!!",
        encode_cursor("key")[:-1],
        encode_cursor("key") + " ",
        encode_cursor("kjy").upper(),
        "ñ",
        "\ud800",
        b"2:key".hex(),
        b"key".hex(),
        b"1:\xff".hex(),
    ],
)
def test_refuses_what_it_has_not_made(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        decode_cursor(cursor)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("limit=200", 200),
        (f"cursor={encode_cursor('key')}", 200),
        ("cursor=nonsense", 400),
        ("cursor=%ff", 400),
        (f"cursor={'x' * 10_000}", 400),
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=all", 422),
    ],
)
async def test_a_list_takes_only_pages_that_exist(client: httpx.AsyncClient, query: str, status: int) -> None:
    assert (await client.get(f"/notes?{query}")).status_code == status


def linked(path: str = "/notes", query: bytes = b"", host: bytes = b"notes", cursor: str | None = "next") -> str | None:
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": [(b"host", host)]}
    response = Response()
    link_next(Request(scope), response, cursor)
    return response.headers.get("Link")


def test_the_last_page_links_nowhere() -> None:
    assert linked(cursor=None) is None


@pytest.mark.parametrize(
    ("query", "next_query"),
    [
        (b"", "cursor=next"),
        (b"limit=2", "limit=2&cursor=next"),
        (b"cursor=old&limit=2", "limit=2&cursor=next"),
        (b"tag=a&tag=b%26c&empty=", "tag=a&tag=b%26c&empty=&cursor=next"),
        ("name=ñ".encode(), "name=%C3%83%C2%B1&cursor=next"),
    ],
)
def test_the_link_keeps_what_else_was_asked(query: bytes, next_query: str) -> None:
    assert linked(query=query) == f'</notes?{next_query}>; rel="next"'


@pytest.mark.parametrize(
    ("path", "next_path"), [("/users/a b/notes", "/users/a%20b/notes"), ('/ñ"><', "/%C3%B1%22%3E%3C")]
)
def test_the_link_fits_into_a_header(path: str, next_path: str) -> None:
    assert linked(path=path) == f'<{next_path}?cursor=next>; rel="next"'


@pytest.mark.parametrize("host", [b"", b"[::1", b"a b", b"notes:99999999"])
def test_the_link_needs_no_sensible_host(host: bytes) -> None:
    assert linked(host=host) == '</notes?cursor=next>; rel="next"'


async def test_the_link_leads_to_the_next_page(client: httpx.AsyncClient) -> None:
    first = await client.get("/notes?limit=3")

    assert first.links["next"]["url"] == "/notes?limit=3&cursor=there-is-more"
    assert first.json() == {"items": [], "next_cursor": "there-is-more"}
