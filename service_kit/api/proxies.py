"""The caller's address behind reverse proxies: `X-Forwarded-For`, believed as far as our own proxies wrote it.

Each proxy adds at the end whom it has heard from; everything before that is what the caller says itself. So the last
entry is the word of the nearest proxy, and with `n` proxies of ours the n-th from the end is the caller.
"""

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send


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
