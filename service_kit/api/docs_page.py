"""`/docs`: Swagger UI from the service itself, so that it works without the Internet and no other host sees its users.

Source: docs/decisions/0015-pages-from-the-service-itself.md
"""

from html import escape
from http import HTTPStatus
from string import Template
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from service_kit.api.assets import STATIC, VENDORED, Asset, asset_answer
from service_kit.api.compression import TakesGzip

DOCS: Final = "/docs"

_SWAGGER: Final = VENDORED / "swagger-ui-dist"
_CSS: Final = "text/css"
_JAVASCRIPT: Final = "text/javascript"

_PAGE: Final = {
    "swagger_css": Asset(_SWAGGER / "swagger-ui.css", _CSS),
    "index_css": Asset(_SWAGGER / "index.css", _CSS),
    "swagger_js": Asset(_SWAGGER / "swagger-ui-bundle.js", _JAVASCRIPT),
    "docs_js": Asset(STATIC / "docs.js", _JAVASCRIPT),
}
_ASSETS: Final = {asset.file.name: asset for asset in _PAGE.values()}

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; "  # its stylesheet holds its arrows
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def docs_router(title: str) -> APIRouter:
    """The page, what it loads, and `/redoc`: once a second page of the same document, it leads to the first.

    Args:
        title: Of the page.
    """
    router = APIRouter(include_in_schema=False)
    page = Template((STATIC / "docs.html").read_text())

    @router.get(DOCS)
    async def docs() -> Response:
        addresses = {name: asset.address for name, asset in _PAGE.items()}
        return HTMLResponse(page.substitute(addresses, title=escape(title)), headers=_HEADERS)

    router.get("/docs/assets/{name}")(_asset)
    router.get("/redoc")(_redoc)
    return router


async def _asset(name: str, request: Request, takes_gzip: TakesGzip) -> Response:
    if name not in _ASSETS:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return await asset_answer(_ASSETS[name], request, takes_gzip=takes_gzip)


async def _redoc() -> Response:
    return RedirectResponse("docs")
