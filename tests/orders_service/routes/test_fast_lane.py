"""Whatever `POST /orders` is sent, the lane and FastAPI's route answer the same."""

import json
import re
from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orders_service.config.settings import OrdersSettings
from orders_service.main import build
from orders_service.models.order import NewOrder
from orders_service.routes.orders import _create_plainly, create
from orders_service.services.idempotency import RequestMark
from tests.orders_service.conftest import Stored, is_ready, until

LANE: Final = _create_plainly.__name__
ROUTE: Final = create.__name__
PLAIN: Final = {"Content-Type": "application/json"}
ORDINARY: Final = {"Content-Type": "application/json; charset=utf-8"}
"""No lane takes it."""


class WholeBodies:
    """Hands a body over in one message, as uvicorn does with a small one; httpx splits even the shortest.

    `X-Endpoint` tells which function has answered.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = [await receive()]
        while messages[-1]["more_body"]:
            messages.append(await receive())
        waiting = [{"type": "http.request", "body": b"".join(message["body"] for message in messages)}]

        async def receive_whole() -> Message:
            return waiting.pop() if waiting else await receive()

        async def send_telling(message: Message) -> None:
            if message["type"] == "http.response.start" and "endpoint" in scope:
                message["headers"] = [*message["headers"], (b"x-endpoint", scope["endpoint"].__name__.encode())]
            await send(message)

        await self.app(scope, receive_whole, send_telling)


@pytest.fixture
async def api(settings: OrdersSettings, stored: Stored) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app whose bodies arrive whole."""
    assert stored is not None
    app = build(settings)
    transport = httpx.ASGITransport(WholeBodies(app))
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://api") as api:
        await until(lambda: is_ready(api))
        yield api


def order_of(item: str = '"sku":"MUG-01","name":"Mug","quantity":3,"unit_price":"19.99"', more: str = "") -> bytes:
    return f'{{"items":[{{{item}}}],"currency":"EUR"{more}}}'.encode()


def priced(amount: str) -> bytes:
    return order_of(f'"sku":"MUG-01","name":"Mug","quantity":3,"unit_price":{amount}')


def counted(quantity: str) -> bytes:
    return order_of(f'"sku":"MUG-01","name":"Mug","quantity":{quantity},"unit_price":"19.99"')


def of_items(count: int) -> bytes:
    item = {"sku": "MUG-01", "name": "Mug", "quantity": 1_000_000, "unit_price": "9999999999.99"}
    return json.dumps({"items": [item] * count, "currency": "EUR"}).encode()


def shown(value: object) -> str:
    return repr(value)[:100] if isinstance(value, bytes) else str(value)


WISHES = [
    order_of(),
    *[priced(amount) for amount in ('"0"', '"0.1"', '"0.10"', '"9999999999.99"', "9999999999.99", "0", "-0", "-0.0")],
    *[priced(amount) for amount in ("19.99", "0.1", "0.30", "1.100", "1e2", "1E-2", "1e9", "0.1000000000000000000001")],
    *[counted(quantity) for quantity in ("3.0", "1e2", "1000000", "1.0000000000000000000001")],
    of_items(100),
    order_of(more=',"user_id":null,"notes":null'),
    order_of(more=',"user_id":"a.b:c_d-9","notes":""'),
    order_of(more=r',"notes":"\u00f1 \ud83d\ude00 \"\\\/\b\f\n\r\t \u007f"'),
    order_of(more=',"notes":"ñ 😀 \u2028 \ufeff \x7f e\u0301"'),
    order_of(r'"s\u006bu":"\u004d","name":" \u00a0Mug ","quantity":1,"unit_price":"\u0031.5"'),
    order_of(more=',"currency":"XXX","currency":"USD"'),
    order_of(more=',"notes":1,"notes":"the last one counts"'),
    b" \r\n\t" + order_of().replace(b",", b" ,\n") + b" \n",
]
"""What is taken, and by the lane."""

MISTAKES = [
    *[(body, 422) for body in (b"", b"null", b"[]", b'"text"', b"1", b"{}", b'{"items":[],"currency":"EUR"}')],
    *[(priced(amount), 422) for amount in ("NaN", "Infinity", "-Infinity", "1e400", "true", "null", "[]", "-1")],
    *[(priced(amount), 422) for amount in ("0.001", "1e10", "0.30000000000000004", "1" * 30, '"1e2"', '" 5 "', '"5."')],
    *[(priced(amount), 422) for amount in ('"NaN"', '"1_000"', '"٣"', '"-0"', '""')],
    *[(counted(quantity), 422) for quantity in ("true", '"3"', "3.5", "0", "-0", "-1", "1000001", "1e400", "NaN")],
    *[(counted(quantity), 422) for quantity in ("9" * 30, "null", "[3]", '{"a":3}')],
    (counted("9" * 5000), 400),
    (of_items(101), 422),
    (order_of(more=',"colour":"red"'), 422),
    (order_of(more=',"currency":"eur"'), 422),
    (order_of(more=',"currency":null'), 422),
    (order_of(more=',"items":{}'), 422),
    (order_of(more=',"items":null'), 422),
    (order_of(more=',"notes":1'), 422),
    (order_of(more=r',"notes":"\u0000"'), 422),
    (order_of(more=',"user_id":""'), 422),
    (order_of('"sku":"a b","name":" ","quantity":3,"unit_price":"1","weight":1'), 422),
    (order_of(more=f',"notes":{"[" * 500}{"]" * 500}'), 422),
    (order_of(more=f',"notes":{"[" * 100_000}'), 400),
    (order_of(more=r',"notes":"\ud800"'), 400),
    (order_of(more=',"notes":"a\nb"'), 400),
    (order_of(more=",")[:-1] + b"}", 400),
    (order_of()[:-1], 400),
    (order_of() + b"x", 400),
    (order_of() + order_of(), 400),
    (b"\xef\xbb\xbf" + order_of(), 400),
    (order_of().decode().encode("utf-16"), 400),
    (order_of().replace(b"Mug", b"\xff"), 400),
    (order_of().replace(b'"', b"'"), 400),
]
"""What is refused, and with which status."""

_CHANGING = re.compile(rb'"(id|created_at|request_id)":"[^"]+"')


def likeness(answer: httpx.Response) -> tuple[object, ...]:
    """What two answers to one body have in common."""
    body = _CHANGING.sub(rb'"\1":"..."', answer.content)
    return answer.status_code, body, answer.headers["Content-Type"], sorted(answer.headers)


async def both_ways(
    api: httpx.AsyncClient, body: bytes, key: str | None = None
) -> tuple[httpx.Response, httpx.Response]:
    keyed = [] if key is None else [(b"Idempotency-Key", key.encode())]
    by_lane, by_route = [
        await api.post("/orders", content=body, headers=[(b"Content-Type", media_type.encode()), *keyed])
        for media_type in (PLAIN["Content-Type"], ORDINARY["Content-Type"])
    ]
    return by_lane, by_route


@pytest.mark.parametrize("body", WISHES, ids=shown)
async def test_places_the_same_order_either_way(api: httpx.AsyncClient, body: bytes) -> None:
    by_lane, by_route = await both_ways(api, body)

    assert (by_lane.status_code, by_lane.headers["X-Endpoint"], by_route.headers["X-Endpoint"]) == (201, LANE, ROUTE)
    assert likeness(by_lane) == likeness(by_route)


@pytest.mark.parametrize(("body", "status"), MISTAKES, ids=shown)
async def test_refuses_the_same_mistakes_either_way(
    api: httpx.AsyncClient, stored: Stored, body: bytes, status: int
) -> None:
    by_lane, by_route = await both_ways(api, body)

    assert by_lane.status_code == status
    assert likeness(by_lane) == likeness(by_route)
    assert await stored.count_documents({}) == 0


class TestIdempotencyKeys:
    @pytest.mark.parametrize(("first", "then"), [(PLAIN, ORDINARY), (ORDINARY, PLAIN), (PLAIN, PLAIN)])
    @pytest.mark.parametrize(("key", "same"), [("k-1", "k-1"), ("k-1", '"k-1"'), (r'"a\"b"', 'a"b')])
    async def test_are_known_again_either_way(
        self,
        api: httpx.AsyncClient,
        stored: Stored,
        *,
        first: dict[str, str],
        then: dict[str, str],
        key: str,
        same: str,
    ) -> None:
        body = priced("0.10")
        placed = await api.post("/orders", content=body, headers={**first, "Idempotency-Key": key})

        again = await api.post("/orders", content=priced('"0.1"'), headers={**then, "Idempotency-Key": same})

        assert placed.status_code == 201
        assert likeness(again)[:3] == likeness(placed)[:3]
        assert again.content == placed.content
        assert again.headers["Location"] == placed.headers["Location"]
        assert (placed.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
        assert [answer.headers["X-Endpoint"] for answer in (placed, again)] == [
            LANE if headers is PLAIN else ROUTE for headers in (first, then)
        ]
        assert await stored.count_documents({}) == 1

    async def test_belong_to_one_body_either_way(self, api: httpx.AsyncClient) -> None:
        await api.post("/orders", content=order_of(), headers={**PLAIN, "Idempotency-Key": "k-1"})

        by_lane, by_route = await both_ways(api, order_of(more=',"notes":"Ring twice"'), key="k-1")

        assert (by_lane.headers["X-Endpoint"], by_route.headers["X-Endpoint"]) == (LANE, ROUTE)
        assert (by_lane.status_code, by_lane.json()["type"]) == (422, "urn:problem-type:idempotency-key-reused")
        assert likeness(by_lane) == likeness(by_route)

    @pytest.mark.parametrize("key", ["", '""', '"open', "a" * 256, '"k";p=1', "a\tb", " a", "ñ"])
    async def test_are_refused_either_way_if_they_are_none(self, api: httpx.AsyncClient, key: str) -> None:
        by_lane, by_route = await both_ways(api, order_of(), key)

        assert (by_lane.status_code, by_lane.json()["errors"][0]["field"]) == (422, "header.idempotency-key")
        assert likeness(by_lane) == likeness(by_route)


WISH: Final = TypeAdapter(NewOrder)

numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
texts = st.builds(json.dumps, st.text(max_size=8), ensure_ascii=st.booleans())
anything = st.recursive(
    numbers | texts | st.sampled_from(["null", "true", "false", "NaN", "Infinity", "[]", "{}", "", "'", '"\\u0000"']),
    lambda value: st.lists(value, max_size=2).map(lambda values: f"[{','.join(values)}]"),
    max_leaves=3,
)
cents = st.integers(0, 10**12 - 1).map(lambda cents: f"{cents / 100:.2f}")
odd_amounts = st.from_regex(r"-?0\.[0-9]{2}0{1,20}|[1-9][0-9]{0,6}(\.[0-9])?([eE][+-]?[012])?", fullmatch=True)
amounts = st.one_of(cents, cents.map(json.dumps), odd_amounts)
odd_quantities = st.from_regex(r"[1-9]{1,4}(\.0{1,20})?([eE][+]?[012])?", fullmatch=True)
quantities = st.integers(1, 1_000_000).map(str) | odd_quantities


def member(name: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return value.map(lambda text: f'"{name}":{text}')


def spelled_objects(**fields: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects with all of these fields, and at times with one of them twice."""
    once = st.tuples(*(member(name, value) for name, value in fields.items()))
    again = st.one_of(*(member(name, value | anything) for name, value in fields.items()))
    more = st.one_of(st.just(""), again.map(lambda text: f",{text}"))
    return st.builds(lambda members, text: f"{{{','.join(members)}{text}}}", once, more)


items = spelled_objects(
    sku=st.sampled_from(['"MUG-01"', '"\\u004d"', '"ñ"', '"a b"']),
    name=texts.map(lambda text: f'"A{text[1:]}'),
    quantity=quantities,
    unit_price=amounts,
)
bodies = spelled_objects(
    items=st.lists(items, min_size=1, max_size=2).map(lambda items: f"[{','.join(items)}]"),
    currency=st.sampled_from(['"EUR"', '"JPY"', '"\\u0055SD"']),
    notes=texts | st.just("null"),
).map(str.encode)


def spoiled(body: bytes, at: int, piece: bytes) -> bytes:
    cut = at % len(body)
    return body[:cut] + piece + body[cut + 1 :]


def accepted_by_lane(body: bytes) -> NewOrder | None:
    try:
        return WISH.validate_json(body)
    except ValidationError:
        return None


def assert_alike(body: bytes) -> None:
    """Whatever the lane accepts, FastAPI accepts too and understands as the same."""
    by_lane = accepted_by_lane(body)
    if by_lane is not None:
        by_fastapi = WISH.validate_python(json.loads(body))
        assert by_lane == by_fastapi
        assert RequestMark.of("k-1", by_lane) == RequestMark.of("k-1", by_fastapi)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(bodies)
def test_understands_what_it_accepts_as_fastapi_does(body: bytes) -> None:
    assert_alike(body)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.sampled_from(WISHES), st.integers(0), st.binary(max_size=2) | anything.map(str.encode))
def test_understands_a_spoiled_body_as_fastapi_does_if_at_all(body: bytes, at: int, piece: bytes) -> None:
    assert_alike(spoiled(body, at, piece))
