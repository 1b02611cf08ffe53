"""Keyset pages: an opaque cursor names the last item seen, so that inserts neither skip nor repeat one."""

import base64
import binascii
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field

from service_kit.problems import ServiceError

MAX_CURSOR_CHARACTERS: Final = 200


class BadCursorError(ServiceError):
    """The cursor is not one that this list has answered."""

    code = "bad-cursor"

    def __init__(self) -> None:
        super().__init__("This cursor is not one that this list has answered. Begin again without a cursor.")


Item = TypeVar("Item", bound=BaseModel)


class Page(BaseModel, Generic[Item]):
    """One page of a list, and the way to the next."""

    items: list[Item]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


class PageQuery(BaseModel):
    """The page that a caller asks for."""

    limit: Annotated[int, Field(ge=1, le=200, description="Items a page.")] = 50
    cursor: Annotated[
        str | None, Field(max_length=MAX_CURSOR_CHARACTERS, description="`next_cursor` of the page before.")
    ] = None


def encode_cursor(key: str) -> str:
    """Wrap the sort key of the last item of a page."""
    return base64.urlsafe_b64encode(b"1:" + key.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> str:
    """Unwrap a cursor.

    Raises:
        BadCursorError: It was not made by `encode_cursor` (400).
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        version, _, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(":")
    except (UnicodeError, binascii.Error):
        raise BadCursorError from None
    if version != "1":
        raise BadCursorError
    return key


def link_next(request: Request, response: Response, cursor: str | None) -> None:
    """Set `Link: <…>; rel="next"` (RFC 8288) on all pages but the last."""
    if cursor is not None:
        url = request.url.include_query_params(cursor=cursor)
        response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


PageQueryParams = Annotated[PageQuery, Query()]
