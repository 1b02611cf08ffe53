"""`/orders`. A route parses, calls one thing and answers; the rules are in `services`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import TypeAdapter, ValidationError, WithJsonSchema

from orders_service.models.order import NewOrder, OrderView
from orders_service.routes.dependencies import OrdersDep, StoreDep
from orders_service.services.idempotency import IdempotencyConflictError
from orders_service.services.listing import OrderQuery, list_orders
from orders_service.services.orders import OrderNotFoundError, Orders, Placed, TooLateToCancelError
from service_kit.api.dependencies import CallerDep, NowDep
from service_kit.api.fast_path import FastPath, PlainRequest
from service_kit.api.pagination import PAGED, link_next
from service_kit.clock import utc_now
from service_kit.fields.idempotency_key import IdempotencyKey
from service_kit.pagination import BadCursorError, Page
from service_kit.problems import problems
from service_kit.settings.keys import KeyIdentities

router = APIRouter(prefix="/orders", tags=["orders"])

KeyHeader = Annotated[
    IdempotencyKey | None,
    WithJsonSchema(TypeAdapter(IdempotencyKey).json_schema()),  # no header is null
    Header(alias="Idempotency-Key", description="Any text of your own, at best a UUID: with it a repeat is harmless."),
]
OrderId = Annotated[str, Path(description="The `id` that `POST /orders` has answered: 24 hexadecimal characters.")]

_NEW_ORDER: Final = TypeAdapter(NewOrder)
_KEYS: Final = TypeAdapter(IdempotencyKey)
_VIEWS: Final = TypeAdapter(OrderView)

_PLACED: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        "description": "Placed, and journalled. Or placed before, by a request with the same `Idempotency-Key`.",
        "headers": {
            "Location": {"description": "Where the order is read.", "required": True, "schema": {"type": "string"}},
            "Idempotent-Replayed": {
                "description": "Present if the order had been placed before.",
                "schema": {"type": "string", "enum": ["true"]},
            },
        },
    }
}


@router.post("", status_code=201, summary="Place an order", responses=_PLACED | problems(IdempotencyConflictError))
@router.post("/", status_code=201, include_in_schema=False)
async def create(
    new_order: NewOrder,
    orders: OrdersDep,
    caller: CallerDep,
    now: NowDep,
    response: Response,
    idempotency_key: KeyHeader = None,
) -> OrderView:
    """Place an order; its `order.created` event reaches `orders_queue` even if the broker is down at the moment.

    With the header `Idempotency-Key` (any text of your own, at best a UUID; up to 255 characters) it can be sent again
    without harm: the same key and body are answered with the same order and `Idempotent-Replayed: true`, the same key
    and another body with 422. A key belongs to the API key that it came with.
    """
    placed = await orders.place(new_order, key=idempotency_key, caller=caller, now=now)
    response.headers.update(_headers_of(placed))
    return placed.order


def _headers_of(placed: Placed) -> dict[str, str]:
    replayed = {"Idempotent-Replayed": "true"} if placed.replayed else {}
    return {"Location": f"/orders/{placed.order.id}", **replayed}


async def _create_fast(request: PlainRequest) -> Response | None:
    """As `create`, without what FastAPI would do in between; no order or key that is not as it should be."""
    key = request.headers.get(b"idempotency-key")
    try:
        new_order = _NEW_ORDER.validate_json(request.body)
        text = None if key is None else _KEYS.validate_python(key.decode("latin-1"))
    except ValidationError:
        return None
    caller = request.services[KeyIdentities].of(request.headers.get(b"x-api-key", b""))
    placed = await request.services[Orders].place(new_order, key=text, caller=caller, now=utc_now())
    return Response(_VIEWS.dump_json(placed.order), 201, _headers_of(placed), "application/json")


fast_path = FastPath("POST", "/orders", _create_fast)


@router.get("", summary="List orders", responses=PAGED | problems(BadCursorError))
@router.get("/", include_in_schema=False)
async def read_page(
    query: Annotated[OrderQuery, Query()], store: StoreDep, request: Request, response: Response
) -> Page[OrderView]:
    """List orders, the newest first; all given filters hold together."""
    page = await list_orders(store, query)
    link_next(request, response, page.next_cursor)
    return page


@router.get("/{order_id}", summary="Read an order", responses=problems(OrderNotFoundError))
async def read(order_id: OrderId, orders: OrdersDep) -> OrderView:
    """Read one order."""
    return await orders.read(order_id)


@router.post(
    "/{order_id}/cancel", summary="Cancel an order", responses=problems(OrderNotFoundError, TooLateToCancelError)
)
async def cancel(order_id: OrderId, orders: OrdersDep, now: NowDep) -> OrderView:
    """Cancel an order while its cancellation window is open; `order.cancelled` follows. Doing it twice is harmless."""
    return await orders.cancel(order_id, now=now)
