"""Whatever body the fast path accepts, it understands as FastAPI does."""

import json
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orders_service.models.order import NewOrder
from orders_service.services.idempotency import RequestMark
from tests.orders_service.routes.fast_path.order_bodies import _NEW_ORDER

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
    """Whatever the fast path accepts, FastAPI accepts too and understands as the same."""
    by_lane = accepted_by_lane(body)
    if by_lane is not None:
        by_fastapi = WISH.validate_python(json.loads(body))
        assert by_lane == by_fastapi
        assert RequestMark.of("k-1", by_lane, caller=None) == RequestMark.of("k-1", by_fastapi, caller=None)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(bodies)
def test_understands_what_it_accepts_as_fastapi_does(body: bytes) -> None:
    assert_alike(body)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.sampled_from(_NEW_ORDER), st.integers(0), st.binary(max_size=2) | anything.map(str.encode))
def test_understands_a_spoiled_body_as_fastapi_does_if_at_all(body: bytes, at: int, piece: bytes) -> None:
    assert_alike(spoiled(body, at, piece))
