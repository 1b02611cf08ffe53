import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError

from orders_service.models.order import NewOrder
from orders_service.services.idempotency import IdempotencyConflictError, RequestMark, is_key_taken
from service_kit.fields.idempotency_key import KEY_PATTERN

JsonObject = dict[str, Any]

keys = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=50)


def new_order(**changes: object) -> NewOrder:
    item = {"sku": "MUG-01", "name": "Coffee mug", "quantity": 3, "unit_price": "19.90"}
    return NewOrder.model_validate({"items": [item], "currency": "EUR", **changes})


def quoted(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@pytest.mark.parametrize("header", ["8e03978e-40d5", '"8e03978e-40d5"', "a", '"a"', "two words", '"a\\"b"', 'a"b'])
def test_takes_a_key_quoted_or_bare(header: str) -> None:
    assert re.fullmatch(KEY_PATTERN, header)


@pytest.mark.parametrize("header", ["", '""', '"', '"a', 'a"b"c"' + "\n", " a", "a ", "ñ", '"k";p=1', '"a\\b"', "a\tb"])
def test_takes_no_other_header(header: str) -> None:
    assert not re.fullmatch(KEY_PATTERN, header)


@given(keys)
def test_reads_a_quoted_key_as_the_caller_meant_it(key: str) -> None:
    assert re.fullmatch(KEY_PATTERN, quoted(key))
    assert RequestMark.of(quoted(key), new_order(), caller=None).key == key


def test_knows_a_key_again_whether_quoted_or_not() -> None:
    assert RequestMark.of("k-1", new_order(), caller=None) == RequestMark.of('"k-1"', new_order(), caller=None)


@pytest.mark.parametrize(
    "same",
    [
        {"items": [{"unit_price": 19.9, "quantity": 3.0, "name": " Coffee mug ", "sku": "MUG-01"}]},
        {"notes": None, "user_id": None},
    ],
)
def test_compares_what_was_understood_and_not_how_it_was_spelled(same: JsonObject) -> None:
    first = RequestMark.of("k-1", new_order(), caller=None)

    RequestMark.of("k-1", new_order(**same), caller=None).require_same({"idempotency": first.stored()})


@pytest.mark.parametrize(
    "other",
    [
        {"currency": "USD"},
        {"notes": "Ring twice"},
        {"items": [{"sku": "MUG-01", "name": "Coffee mug", "quantity": 4, "unit_price": "19.90"}]},
    ],
)
def test_refuses_a_key_that_belongs_to_another_order(other: JsonObject) -> None:
    first = RequestMark.of("k-1", new_order(), caller=None)

    with pytest.raises(IdempotencyConflictError):
        RequestMark.of("k-1", new_order(**other), caller=None).require_same({"idempotency": first.stored()})


@pytest.mark.parametrize(
    ("index", "is_ours"), [("idempotency_of_caller", True), ("idempotency_key", True), ("_id_", False)]
)
def test_knows_which_unique_index_an_insert_has_failed_on(index: str, is_ours: bool) -> None:  # noqa: FBT001 - a column
    error = DuplicateKeyError(
        f"E11000 duplicate key error collection: orders_service.orders index: {index} dup key: {{}}"
    )

    assert is_key_taken(error) == is_ours
