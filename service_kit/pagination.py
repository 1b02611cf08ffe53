"""Keyset pages: an opaque cursor names the last item seen, so that inserts neither skip nor repeat one."""

import re
from itertools import groupby
from typing import Annotated, Final, Generic, TypeVar

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from service_kit.problems import ServiceError

_VERSION: Final = b"1:"
_HEX_DIGIT: Final = "(3[0-9]|6[1-6])"
"""A lower-case hexadecimal digit, itself spelled in hexadecimal."""


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


class CursorShape:
    """What the keys of one list's cursors look like.

    Args:
        shape: The key of an item, with an x for each lower-case hexadecimal digit: `xxxxxxxx-xxxx`.
    """

    def __init__(self, shape: str) -> None:
        runs = ((character, len(list(run))) for character, run in groupby(shape))
        key = "".join(
            f"{_HEX_DIGIT}{{{count}}}" if character == "x" else character.encode().hex() * count
            for character, count in runs
        )
        self._pattern = f"^{_VERSION.hex()}{key}$"

    def field(self) -> FieldInfo:
        """The pattern for `/docs`. Not enforced there: a cursor that breaks it is a 400, no 422."""
        info: FieldInfo = Field(json_schema_extra={"pattern": self._pattern})
        return info

    def key_in(self, cursor: str) -> str:
        """The key of the last item of the page before.

        Raises:
            BadCursorError: It is not one that this list has answered (400).
        """
        if not re.fullmatch(self._pattern, cursor):
            raise BadCursorError
        return decode_cursor(cursor)
