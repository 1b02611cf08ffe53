import pytest
from starlette.types import Receive, Scope, Send

from service_kit.api.proxies import behind_proxies, caller_address, network_of


async def _client_behind(count: int, *lines: str) -> str:
    """Whom an app takes for the caller when 10.0.0.9 connects and sends these lines."""
    seen = ""

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        nonlocal seen
        seen = scope["client"][0]

    scope = {
        "type": "http",
        "client": ("10.0.0.9", 4711),
        "headers": [(b"x-forwarded-for", line.encode()) for line in lines],
    }
    await behind_proxies(app, count)(scope, None, None)  # type: ignore[arg-type]  # the app uses neither
    return seen


@pytest.mark.parametrize(
    ("count", "lines", "caller"),
    [
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (1, ["1.1.1.1", "203.0.113.7"], "203.0.113.7"),
        (1, ["2001:db8::7"], "2001:db8::7"),
        (2, ["1.1.1.1, 203.0.113.7, 192.0.2.1"], "203.0.113.7"),
        (2, ["1.1.1.1, 203.0.113.7", "192.0.2.1"], "203.0.113.7"),
    ],
)
async def test_takes_what_the_outermost_of_our_proxies_has_seen(count: int, lines: list[str], caller: str) -> None:
    assert await _client_behind(count, *lines) == caller


@pytest.mark.parametrize(
    ("count", "lines"),
    [
        (0, ["203.0.113.7"]),
        (1, []),
        (1, [""]),
        (1, ["203.0.113.7, "]),
        (1, ["203.0.113.7, unknown"]),
        (2, ["203.0.113.7"]),
    ],
)
async def test_keeps_to_who_connects_when_no_proxy_of_ours_says_more(count: int, lines: list[str]) -> None:
    assert await _client_behind(count, *lines) == "10.0.0.9"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", None),
        ("", None),
    ],
)
def test_the_callers_address_is_an_address_or_nothing(host: str, address: str | None) -> None:
    assert caller_address({"client": (host, 4711)}) == address
    assert caller_address({"client": None}) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        (None, ""),
    ],
)
def test_an_ipv6_address_counts_as_its_network(address: str | None, network: str) -> None:
    assert network_of(address) == network
