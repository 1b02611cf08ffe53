"""What a route of pages needs of FastAPI: the page asked for, and the link to the next one."""

from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Query, Request, Response

from service_kit.pagination import PageQuery


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Set `Link: <…>; rel="next"` (RFC 8288) on all pages but the last."""
    if cursor is not None:
        others = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        query = urlencode([*others, ("cursor", cursor)])
        response.headers["Link"] = f'<{quote(request.scope["path"])}?{query}>; rel="next"'


PAGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "Link": {
                "description": 'The next page, `<…>; rel="next"` (RFC 8288); not on the last.',
                "schema": {"type": "string"},
            }
        }
    }
}
"""For the `responses` of a route that calls `link_next`."""

PageQueryParams = Annotated[PageQuery, Query()]
