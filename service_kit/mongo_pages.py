"""Pages of MongoDB documents that are sorted by `_id`: the cursor names the last document of a page."""

import re
from typing import Annotated, Final

from bson import ObjectId
from pydantic import Field

from service_kit.pages import BadCursorError, PageQuery, decode_cursor

_CURSOR: Final = r"^313a(3[0-9]|6[1-6]){24}$"
"""What `encode_cursor` makes of an ObjectId. Only told in `/docs`: a cursor that breaks it is a 400, no 422."""

_Cursor = Annotated[str, Field(json_schema_extra={"pattern": _CURSOR})]


class DocumentPageQuery(PageQuery):
    """The page that a caller asks for."""

    cursor: Annotated[_Cursor | None, Field(description="`next_cursor` of the page before.")] = None


def id_in(cursor: str) -> ObjectId:
    """The id of the last document of the page before.

    Raises:
        BadCursorError: It is not one that a list of documents has answered (400).
    """
    if not re.fullmatch(_CURSOR, cursor):
        raise BadCursorError
    return ObjectId(decode_cursor(cursor))
