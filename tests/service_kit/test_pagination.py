import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_kit.pagination import BadCursorError, CursorShape, encode_cursor

UUIDS = CursorShape("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")


def pattern_of(shape: CursorShape) -> str:
    extra = shape.field().json_schema_extra
    assert isinstance(extra, dict)
    return str(extra["pattern"])


@given(st.uuids())
def test_takes_the_cursors_of_its_shape(key: UUID) -> None:
    cursor = encode_cursor(str(key))

    assert re.search(pattern_of(UUIDS), cursor)
    assert UUIDS.key_in(cursor) == str(key)


@given(st.text(st.sampled_from("0aF-:é"), max_size=40))
def test_refuses_every_other_key(key: str) -> None:
    cursor = encode_cursor(key)

    assert not re.search(pattern_of(UUIDS), cursor)
    with pytest.raises(BadCursorError):
        UUIDS.key_in(cursor)


def test_publishes_a_short_pattern() -> None:
    assert pattern_of(CursorShape("x" * 24)) == "^313a(3[0-9]|6[1-6]){24}$"
