"""Whatever is edited on both sides, and however its events travel, both services end with the same passengers.

Real PostgreSQL with the tables of both services and their own rules; the events are carried by hand, late, in any
order and more than once, and the clocks are an hour apart.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import passengers_service.config.database
import reservations_service.config.database
from dev_stack.servers.postgres import Postgres
from service_kit.postgres.store import PostgresStore
from tests.contracts.two_sides import NOON, PEOPLE, SECOND, new_world, prepared

EDITABLE: Final[dict[str, tuple[object, ...]]] = {
    "first_name": ("Ana", "Bea", "Eva"),
    "email": ("ana@example.com", "eva@example.org", None),
    "nationality": ("ES", "PT"),
}


edits = st.sampled_from(sorted(EDITABLE)).flatmap(
    lambda name: st.builds(lambda value: {name: value}, st.sampled_from(EDITABLE[name]))
)
documents = st.integers(1, 3).map(lambda number: {"document_number": f"NEW{number}"})
people = st.sampled_from(PEOPLE)
steps = st.one_of(
    st.tuples(st.just("register"), people),
    st.tuples(st.just("owner edits"), people, edits),
    st.tuples(st.just("copy edits"), people, edits),
    st.tuples(st.just("owner edits"), st.just(PEOPLE[0]), documents),
    st.tuples(st.just("delete"), people),
    st.tuples(st.just("wait"), st.integers(0, 5000)),
    st.tuples(st.just("deliver"), st.booleans()),
)


@pytest.fixture
async def stores(postgres: Postgres) -> AsyncIterator[tuple[PostgresStore, PostgresStore]]:
    """A database of each service."""
    owner = await prepared(postgres, "convergence_passengers", passengers_service.config.database.SCHEMA)
    copy = await prepared(postgres, "convergence_reservations", reservations_service.config.database.SCHEMA)
    yield owner, copy
    await owner.engine.dispose()
    await copy.engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(steps, min_size=5, max_size=25),
    st.sampled_from([-3600, 0, 3600]).map(lambda seconds: seconds * SECOND),
    st.randoms(use_true_random=False),
)
async def test_both_sides_end_with_the_same_passengers(
    stores: tuple[PostgresStore, PostgresStore], happened: list[tuple[Any, ...]], apart: timedelta, chance: Random
) -> None:
    world = await new_world(stores, apart, chance)
    for step in [("register", PEOPLE[0]), *happened]:
        await world.do(step)
    await world.settle()

    contents = await world.owner.contents()
    assert contents
    assert contents == await world.copy.contents()
    assert await world.owner.digest() == await world.copy.digest()


async def test_edits_of_two_fields_on_both_sides_both_survive(stores: tuple[PostgresStore, PostgresStore]) -> None:
    world = await new_world(stores, 3600 * SECOND, Random(7))
    for step in [
        ("register", PEOPLE[0]),
        ("deliver", True),
        ("deliver", True),
        ("owner edits", PEOPLE[0], {"first_name": "Eva"}),
        ("copy edits", PEOPLE[0], {"email": "eva@example.org"}),
    ]:
        await world.do(step)
    await world.settle()

    [row] = await world.owner.contents()
    assert {"Eva", "eva@example.org"} <= set(row[1:6])
    assert [row] == await world.copy.contents()


@pytest.mark.parametrize("apart", [-3600, 3600])
async def test_who_knows_of_an_edit_overrides_it_though_its_clock_is_behind(
    stores: tuple[PostgresStore, PostgresStore], apart: int
) -> None:
    world = await new_world(stores, apart * SECOND, Random(7))
    await world.do(("register", PEOPLE[0]))
    for first_name, teller, hearer in (("Eva", world.owner, world.copy), ("Bea", world.copy, world.owner)):
        await world.do(
            ("owner edits" if teller is world.owner else "copy edits", PEOPLE[0], {"first_name": first_name})
        )
        for event in teller.told:
            await hearer.hear(event)

    for side in (world.owner, world.copy):
        [row] = await side.contents()
        assert row[3] == "Bea"


async def test_no_late_edit_revives_a_deleted_passenger(stores: tuple[PostgresStore, PostgresStore]) -> None:
    world = await new_world(stores, 3600 * SECOND, Random(7))
    await world.do(("register", PEOPLE[0]))
    for event in world.owner.told:
        await world.copy.hear(event)
    await world.do(("delete", PEOPLE[0]))
    await world.do(("copy edits", PEOPLE[0], {"first_name": "Eva"}))  # an hour ahead, and not knowing
    await world.settle()

    for side in (world.owner, world.copy):
        [row] = await side.contents()
        assert row[10] == NOON
        assert row[3] == "Eva"


@pytest.mark.parametrize("lost", ["owner", "copy"])
async def test_a_resync_on_either_side_restores_whichever_copy_was_lost(
    stores: tuple[PostgresStore, PostgresStore], lost: str
) -> None:
    world = await new_world(stores, 3600 * SECOND, Random(7))
    for who in PEOPLE:
        await world.do(("register", who))
    await world.do(("delete", PEOPLE[2]))
    await world.settle()
    before = await world.owner.contents()
    await (world.owner if lost == "owner" else world.copy).clear()

    for side in (world.owner, world.copy):
        side.told.clear()
    await world.copy.sync.resync(lambda _: None)
    await world.copy.collect()
    for event in world.copy.told:
        await world.owner._hear(event)
    assert await world.owner.sync.requests.answer()
    await world.owner.collect()
    for event in world.owner.told:
        await world.copy.hear(event)

    assert await world.owner.contents() == await world.copy.contents() == before
