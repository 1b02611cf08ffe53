import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.api.json_values import MAX_VALUES, holds_many_values, may_hold_many_values

documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner, max_size=9),
    max_leaves=40,
)


def count(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(count, value.values()))
    return len(value) + sum(map(count, value)) if isinstance(value, list) else 0


def nested(levels: int, value: object) -> object:
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "many"),
    [
        ([0] * MAX_VALUES, False),
        ([0] * (MAX_VALUES + 1), True),
        ({str(number): 0 for number in range(MAX_VALUES)}, False),
        ({str(number): 0 for number in range(MAX_VALUES + 1)}, True),
        ({"items": [{"a": [0]}] * 333}, False),
        ({"items": [{"a": [0]}] * 334}, True),
        (nested(100, [0] * MAX_VALUES), True),
        ("," * 5000, False),
        ({"," * 5000: "," * 5000}, False),
    ],
    ids=repr,
)
def test_counts_members_and_entries_wherever_they_stand(value: object, *, many: bool) -> None:
    assert holds_many_values(json.dumps(value).encode()) is many


@given(documents)
def test_counts_like_the_simplest_count(document: object) -> None:
    documents = [document] * 40

    assert holds_many_values(json.dumps(documents).encode()) is (count(documents) > MAX_VALUES)


@pytest.mark.parametrize(
    "value", [[0] * (MAX_VALUES + 1), {str(number): 0 for number in range(MAX_VALUES + 1)}], ids=type
)
def test_sees_at_a_glance_where_there_is_nothing_to_count(value: object) -> None:
    assert may_hold_many_values(json.dumps(value).encode())
    assert not may_hold_many_values(json.dumps("x" * 100_000).encode())


@pytest.mark.parametrize("body", [b"[" * 5000, b"[" * 300 + b"0" + b"]" * 300, b'{"a": 0', b"\xff"])
def test_tells_what_it_cannot_read(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        holds_many_values(body)
