"""`GET /loans/{id}/payments`: which page."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from loans_service.models.payment import PaymentView
from service_kit.pagination import BadCursorError, Page, PageQuery, decode_cursor, encode_cursor

_MAX_DIGITS: Final = 9


class PaymentQuery(PageQuery):
    """Which payments to list."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=1000, description="Items a page.")] = 100
    sort: Literal["created_at", "-created_at"] = "created_at"
    with_total: Annotated[bool, Field(description="Adds `total`, and `total_is_exact`.")] = False


class PaymentPage(Page[PaymentView]):
    """One page of payments."""

    total: Annotated[int | None, Field(description="With `with_total`: all of the loan.")] = None
    total_is_exact: bool | None = None


def page_of(views: Sequence[PaymentView], query: PaymentQuery) -> PaymentPage:
    """One page; all payments are folded together anyway.

    Raises:
        BadCursorError: The cursor is not one that this list has answered (400).
    """
    ordered = list(views) if query.sort == "created_at" else list(reversed(views))
    after = _place_in(query) if query.cursor is not None else 0
    start = next((place for place, view in enumerate(ordered, 1) if view.number == after), 0)
    items = ordered[start : start + query.limit]
    more = start + query.limit < len(ordered)
    return PaymentPage(
        items=items,
        next_cursor=encode_cursor(f"{query.sort}|{items[-1].number}") if more else None,
        total=len(ordered) if query.with_total else None,
        total_is_exact=True if query.with_total else None,
    )


def _place_in(query: PaymentQuery) -> int:
    sort, _, number = decode_cursor(query.cursor or "").partition("|")
    if sort != query.sort or not (number.isascii() and number.isdigit() and len(number) <= _MAX_DIGITS):
        raise BadCursorError
    return int(number)
