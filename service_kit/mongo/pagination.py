"""Pages of MongoDB documents that are sorted by `_id`: the cursor names the last document of a page."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

from beanie import Document, SortDirection
from bson import ObjectId
from pydantic import BaseModel, Field

from service_kit.pagination import CursorShape, Page, PageQuery, encode_cursor

_OBJECT_ID: Final = CursorShape("x" * 24)

Kept = TypeVar("Kept", bound=Document)
Shown = TypeVar("Shown", bound=BaseModel)

_Cursor = Annotated[str, _OBJECT_ID.field()]


class DocumentPageQuery(PageQuery):
    """The page that a caller asks for."""

    cursor: Annotated[_Cursor | None, Field(description="`next_cursor` of the page before.")] = None


def id_in(cursor: str) -> ObjectId:
    """The id of the last document of the page before.

    Raises:
        BadCursorError: It is not one that a list of documents has answered (400).
    """
    return ObjectId(_OBJECT_ID.key_in(cursor))


async def newest_page(
    documents: type[Kept], conditions: Sequence[Mapping[str, Any]], limit: int, view: Callable[[Kept], Shown]
) -> Page[Shown]:
    """One page of the documents that meet all conditions, the newest first.

    Raises:
        StoreUnavailableError: MongoDB does not answer (503).
    """
    newest = documents.find(*conditions).sort(("_id", SortDirection.DESCENDING))
    found = await newest.limit(limit + 1).to_list()
    last = str(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[view(document) for document in found[:limit]], next_cursor=last and encode_cursor(last))
