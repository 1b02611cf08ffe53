"""The caller's address behind reverse proxies: `X-Forwarded-For`, believed as far as our own proxies wrote it.

Each proxy adds at the end whom it has heard from; everything before that is what the caller says itself. So the last
entry is the word of the nearest proxy, and with `n` proxies of ours the n-th from the end is the caller.
"""

from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

_NETWORK_BITS: Final = 64
"""So much of an IPv6 address is given to one customer, who may use any address below it."""


def caller_address(scope: Scope) -> str | None:
    """Who has sent a request; None if that is no address, as on a unix socket."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def network_of(address: str | None) -> str:
    """What counts as one caller, for limits: an IPv4 address, or the /64 of an IPv6 one; empty if nothing is known."""
    if address is None or not isinstance(ip_address(address), IPv6Address):
        return address or ""
    return str(IPv6Network((address, _NETWORK_BITS), strict=False))


class ProxiesMiddleware:
    """Puts the caller's address into `scope["client"]`.

    Args:
        app: What it wraps.
        count: Proxies of ours between caller and app, ≥ 1.
    """

    def __init__(self, app: ASGIApp, count: int) -> None:
        self.app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (caller := self._caller(scope)):
            scope["client"] = (caller, 0)
        await self.app(scope, receive, send)

    def _caller(self, scope: Scope) -> str:
        """Empty if there are fewer entries than proxies, or if the entry is no address: then nothing is known."""
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        entries = ",".join(lines).rsplit(",", self._count)
        try:
            return str(ip_address(entries[-self._count].strip()))
        except (ValueError, IndexError):
            return ""


def behind_proxies(app: ASGIApp, count: int) -> ASGIApp:
    """The app behind that many proxies; itself if there are none, when whoever connects is the caller."""
    return ProxiesMiddleware(app, count) if count else app
