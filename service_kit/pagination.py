"""Keyset pages: an opaque cursor names the last item seen, so that inserts neither skip nor repeat one."""

from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, Field

from service_kit.problems import ServiceError

_VERSION: Final = b"1:"


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
    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None


def encode_cursor(key: str) -> str:
    """Wrap the sort key of the last item of a page.

    Hexadecimal, so that a short pattern can tell in `/docs` which cursors a list takes.
    """
    return (_VERSION + key.encode()).hex()


def decode_cursor(cursor: str) -> str:
    """Unwrap a cursor.

    Raises:
        BadCursorError: It was not made by `encode_cursor` (400).
    """
    try:
        wrapped = bytes.fromhex(cursor).decode()
    except ValueError:
        raise BadCursorError from None
    key = wrapped.removeprefix(_VERSION.decode())
    if encode_cursor(key) != cursor:
        raise BadCursorError
    return key
