"""`/` and `/favicon.ico`: what a visitor and a browser ask for first, of an API and of a worker."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service_kit.api.assets import STATIC, Asset, asset_answer

_ICON: Final = Asset(STATIC / "favicon.ico", "image/x-icon")


def home_routes(home: str | None) -> list[Route]:
    """The two routes.

    Args:
        home: Where `/` leads; None if there is no page to show, and `/` is 404.
    """

    async def lead_home(request: Request) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '')}{home}")

    async def icon(request: Request) -> Response:
        return await asset_answer(_ICON, request, takes_gzip=False)

    return [*([Route("/", lead_home)] if home else []), Route("/favicon.ico", icon)]
