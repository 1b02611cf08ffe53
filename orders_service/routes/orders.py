"""`/orders`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from orders_service.models.order import NewOrder, OrderView
from orders_service.routes.dependencies import NowDep, OrdersDep, StoreDep
from orders_service.services.idempotency import IdempotencyConflictError
from orders_service.services.listing import OrderQuery, list_orders
from orders_service.services.orders import OrderNotFoundError, TooLateToCancelError
from service_kit.pages import BadCursorError, Page, link_next
from service_kit.problems import InvalidRequestError, problems

router = APIRouter(prefix="/orders", tags=["orders"])

IdempotencyKey = Annotated[
    str | None,
    Header(
        description="A key of your own for this order: the same key and body again is answered with the same order.",
        max_length=255,
        pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]


@router.post(
    "", status_code=201, summary="Place an order", responses=problems(InvalidRequestError, IdempotencyConflictError)
)
@router.post("/", status_code=201, include_in_schema=False)
async def create(
    wish: NewOrder, orders: OrdersDep, now: NowDep, response: Response, idempotency_key: IdempotencyKey = None
) -> OrderView:
    """Place an order; its `order.created` event reaches `orders_queue` even if the broker is down at the moment."""
    placed = await orders.place(wish, key=idempotency_key, now=now)
    response.headers["Location"] = f"/orders/{placed.order.id}"
    if placed.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return placed.order


@router.get("", summary="List orders", responses=problems(BadCursorError))
@router.get("/", include_in_schema=False)
async def read_page(
    query: Annotated[OrderQuery, Query()], store: StoreDep, request: Request, response: Response
) -> Page[OrderView]:
    """List orders, the newest first."""
    page = await list_orders(store, query)
    link_next(request, response, page.next_cursor)
    return page


@router.get("/{order_id}", summary="Read an order", responses=problems(OrderNotFoundError))
async def read(order_id: str, orders: OrdersDep) -> OrderView:
    """Read one order."""
    return await orders.read(order_id)


@router.post(
    "/{order_id}/cancel", summary="Cancel an order", responses=problems(OrderNotFoundError, TooLateToCancelError)
)
async def cancel(order_id: str, orders: OrdersDep, now: NowDep) -> OrderView:
    """Cancel an order while its cancellation window is open; `order.cancelled` follows. Doing it twice is harmless."""
    return await orders.cancel(order_id, now=now)
