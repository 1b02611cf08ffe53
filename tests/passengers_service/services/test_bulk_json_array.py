"""One array, cut where its elements end, whatever they are and however the body comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passengers_service.services.bulk.json_array import JsonArrayReader
from service_kit.problems import MalformedRequestError
from tests.passengers_service.bulk_reading import read

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(st.lists(VALUES), st.integers(1, 99), st.sampled_from([None, 1]), st.booleans())
def test_finds_the_elements_of_any_json_array(values: list[Any], size: int, indent: int, escaped: bool) -> None:  # noqa: FBT001 - hypothesis's
    body = json.dumps(values, ensure_ascii=escaped, indent=indent).encode()
    reader = JsonArrayReader()

    found = [row for start in range(0, len(body), size) for row in reader.feed(body[start : start + size])]

    assert [json.loads(bytes(row)) for row in [*found, *reader.end()]] == values


@pytest.mark.parametrize(
    "body", [b"[1]2", b"[1]2,3]", b"[1 2]", b"[1,]", b"[,1]", b"[1],[2]", b"[1]]", b"[", b"[1", b"1]"]
)
@pytest.mark.parametrize("size", [1, 99])
def test_refuses_what_is_nearly_a_json_array(body: bytes, size: int) -> None:
    with pytest.raises(MalformedRequestError, match="not one whole JSON array"):
        read(JsonArrayReader(), *(body[start : start + size] for start in range(0, len(body), size)))
