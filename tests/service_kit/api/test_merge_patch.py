"""JSON merge patches: what RFC 7396 says becomes of any whole and any patch, and what a route with one promises."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, Final, Self

import httpx
import pytest
from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from service_kit.api.merge_patch import MERGE_PATCH, TAKES_MERGE_PATCH, MergePatch, PatchExample
from service_kit.fields.text import TextPattern
from tests.service_kit.conftest import ClientMaker
from tests.support import notes_api

JsonObject = dict[str, Any]


class Window(BaseModel):
    side: str


class RoomEdit(BaseModel):
    """Has each kind of field: required, nullable, with a default, with a rule of their own and with one in common."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, TextPattern("^[a-z]+$", "Write small letters", stored="^[A-Z]+$")]
    beds: int = Field(ge=0)
    guests: int | None
    note: str | None = None
    price: Decimal = Decimal(7)
    tags: list[str] = []
    windows: list[Window] = []

    @model_validator(mode="after")
    def _have_beds(self) -> Self:
        if (self.guests or 0) > self.beds:
            raise ValueError("Each guest has a bed")
        return self


ROOM: Final = RoomEdit(
    name="blue", beds=2, guests=1, note="quiet", price=Decimal("9.50"), tags=["sea"], windows=[Window(side="east")]
)
PATCH: Final = TypeAdapter[MergePatch[RoomEdit]](MergePatch[RoomEdit])

values: st.SearchStrategy[Any] = (
    st.none() | st.integers(-1, 3) | st.sampled_from(["red", "RED", "", "9.50"]) | st.lists(st.just("sea"))
)
values |= st.lists(st.dictionaries(st.just("side"), st.sampled_from(["north", None]))) | st.just({"side": "south"})
names = st.sampled_from([*RoomEdit.model_fields, "unknown"])


def merged(target: object, patch: object) -> object:
    """RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def as_the_rfc_says(patch: object) -> RoomEdit | None:
    """What a `PUT` of the merged whole would make of it; a null that PUT takes is one that PATCH sets."""
    whole = merged(ROOM.model_dump(mode="json"), patch)
    if isinstance(patch, dict) and isinstance(whole, dict) and patch.get("guests", ...) is None:
        whole["guests"] = None
    if isinstance(patch, dict) and patch.keys() - RoomEdit.model_fields:
        return None
    try:
        return RoomEdit.model_validate(whole)
    except ValidationError:
        return None


def patched(patch: object, stored: object = ROOM) -> RoomEdit | None:
    try:
        return PATCH.validate_python(patch).applied_to(stored)
    except (ValidationError, RequestValidationError):
        return None


@given(st.dictionaries(names, values) | values)
@example({"windows": [{"side": "north"}, {"side": "south"}]})
def test_makes_of_each_whole_what_the_rfc_and_the_rules_say(patch: object) -> None:
    assert patched(patch) == as_the_rfc_says(patch)


def test_what_is_not_given_may_break_a_rule_that_was_made_stricter_since() -> None:
    stored = SimpleNamespace(**{**ROOM.model_dump(), "name": "BLUE"})

    changed = patched({"beds": 3}, stored)

    assert changed == ROOM.model_copy(update={"name": "BLUE", "beds": 3})
    assert patched({"name": "RED"}, stored) is None


@pytest.fixture
async def api(make_client: ClientMaker) -> httpx.AsyncClient:
    """One room, which `PATCH` answers as it would be."""
    router = APIRouter(prefix="/room")

    @router.get("")
    async def read() -> RoomEdit:
        return ROOM

    @router.patch("", dependencies=[TAKES_MERGE_PATCH])
    async def patch(
        patch: Annotated[MergePatch[RoomEdit], PatchExample(beds=4)],
    ) -> RoomEdit:
        return patch.applied_to(ROOM)

    return await make_client(notes_api.build(routers=(router,)))


@pytest.mark.parametrize("name", [MERGE_PATCH, "application/json", "Application/Merge-Patch+JSON; charset=utf-8"])
async def test_takes_a_merge_patch_under_both_names(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.patch("/room", content='{"beds": 4, "note": null}', headers={"Content-Type": name})

    assert (answer.status_code, answer.json()) == (200, ROOM.model_dump(mode="json") | {"beds": 4, "note": None})


@pytest.mark.parametrize("name", ["application/json-patch+json", "text/plain", "", "application/json-seq"])
async def test_refuses_every_other_kind_of_patch_and_names_its_own(api: httpx.AsyncClient, name: str) -> None:
    answer = await api.patch("/room", content="{}", headers={"Content-Type": name})

    assert (answer.status_code, answer.json()["type"]) == (415, "urn:problem-type:unsupported-media-type")
    assert answer.headers["accept-patch"] == f"{MERGE_PATCH}, application/json"


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"name": None}, "body.name"),
        ({"beds": "many"}, "body.beds"),
        ({"guests": 3}, "body"),
        ({"colour": "blue"}, "body.colour"),
        ([], "body"),
        (None, "body"),
    ],
)
async def test_says_which_field_breaks_a_rule(api: httpx.AsyncClient, patch: object, field: str) -> None:
    answer = await api.patch("/room", json=patch)

    assert (answer.status_code, [mistake["field"] for mistake in answer.json()["errors"]]) == (422, [field])


async def test_says_of_a_path_that_it_takes_merge_patches(api: httpx.AsyncClient) -> None:
    answers = [await api.options("/room"), await api.delete("/room")]

    assert [answer.headers["allow"] for answer in answers] == ["GET, HEAD, OPTIONS, PATCH"] * 2
    assert [answer.headers["accept-patch"] for answer in answers] == [f"{MERGE_PATCH}, application/json"] * 2


async def test_the_documents_have_both_names_and_every_field_as_optional(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()

    content = document["paths"]["/room"]["patch"]["requestBody"]["content"]
    schema = document["components"]["schemas"]["RoomPatch"]
    assert list(content) == [MERGE_PATCH, "application/json"]
    assert content[MERGE_PATCH] == content["application/json"]
    assert schema["examples"] == [{"beds": 4}]
    assert (schema["properties"].keys(), schema.get("required")) == (RoomEdit.model_fields.keys(), None)
    assert all("default" not in field for field in schema["properties"].values())


class Address(BaseModel):
    model_config = ConfigDict(extra="forbid")

    street: Annotated[str, Field(min_length=2)]
    city: str
    region: str | None = None


class PersonEdit(BaseModel):
    address: Address | None = None


PERSON_PATCH: Final = TypeAdapter[MergePatch[PersonEdit]](MergePatch[PersonEdit])
HOME: Final = Address(street="Reforma 222", city="México", region="CDMX")


@pytest.mark.parametrize(
    ("stored", "patch", "whole"),
    [
        (HOME, {"city": "Puebla"}, {"street": "Reforma 222", "city": "Puebla", "region": "CDMX"}),
        (HOME, {"region": None}, {"street": "Reforma 222", "city": "México", "region": None}),
        (HOME, {}, HOME.model_dump()),
        (HOME, None, None),
        (None, {"street": "Sur 1", "city": "Puebla"}, {"street": "Sur 1", "city": "Puebla", "region": None}),
    ],
)
def test_merges_a_model_inside_of_a_model(
    stored: Address | None, patch: JsonObject | None, whole: JsonObject | None
) -> None:
    edit = PERSON_PATCH.validate_python({"address": patch}).applied_to(PersonEdit(address=stored))

    assert edit.model_dump()["address"] == whole


@pytest.mark.parametrize("patch", [{"street": "x"}, {"city": None}, {"country": "MX"}, [], "x"])
def test_refuses_a_part_of_a_model_that_breaks_its_rules(patch: object) -> None:
    with pytest.raises(ValidationError):
        PERSON_PATCH.validate_python({"address": patch})


def test_refuses_a_model_that_is_not_whole_after_the_patch() -> None:
    with pytest.raises(RequestValidationError):
        PERSON_PATCH.validate_python({"address": {"city": "Puebla"}}).applied_to(PersonEdit())
