from typing import Any

import pytest

from service_kit.pagination import BadCursorError, encode_cursor
from user_service.services.listing import UserQuery, conditions_of


def bounds(prefix: str) -> Any:  # noqa: ANN401 - whatever MongoDB is asked
    [condition] = conditions_of(UserQuery(email_prefix=prefix))
    return condition["email_key"]


def test_asks_for_everybody_without_a_filter() -> None:
    assert conditions_of(UserQuery()) == []


@pytest.mark.parametrize("key", ["ana@example.com", "ana.b@example.com", "an", "anañ😀@example.com"])
def test_a_prefix_covers_every_key_that_begins_with_it(key: str) -> None:
    asked = bounds("AN")

    assert asked["$gte"] <= key < asked["$lt"]


@pytest.mark.parametrize("key", ["am@example.com", "ao@example.com", "a", ""])
def test_a_prefix_covers_no_other_key(key: str) -> None:
    asked = bounds("an")

    assert not asked["$gte"] <= key < asked["$lt"]


@pytest.mark.parametrize("cursor", ["", "x", "313a", encode_cursor("not an id"), encode_cursor("665f")])
def test_refuses_a_cursor_that_no_list_has_answered(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        conditions_of(UserQuery(cursor=cursor))
