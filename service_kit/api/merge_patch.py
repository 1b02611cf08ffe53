"""JSON merge patches (RFC 7396): a `PATCH` changes some fields of what a `PUT` replaces, by the same rules."""

from collections.abc import Mapping
from http import HTTPStatus
from types import UnionType
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    JsonValue,
    ValidationError,
    create_model,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema, to_jsonable_python

from service_kit.fields.text import COPIED
from service_kit.problems import ServiceError

MERGE_PATCH: Final = "application/merge-patch+json"
ACCEPT_PATCH: Final = f"{MERGE_PATCH}, application/json"
"""The header of RFC 5789: what a `PATCH` may be written in."""

Edit = TypeVar("Edit", bound=BaseModel)


class UnsupportedPatchError(ServiceError):
    """The body of a `PATCH` is called something else than a JSON merge patch."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported-media-type"

    def __init__(self) -> None:
        super().__init__(
            f"Send a JSON merge patch (RFC 7396), with the header Content-Type: {MERGE_PATCH} or application/json.",
            headers={"Accept-Patch": ACCEPT_PATCH},
        )


async def _require_merge_patch(request: Request) -> None:
    """Refuse the other patches that are JSON, such as those of RFC 6902. Who names no type is judged with the body."""
    named = request.headers.get("content-type", MERGE_PATCH).partition(";")[0].strip().lower()
    if named not in ACCEPT_PATCH.split(", "):
        raise UnsupportedPatchError


TAKES_MERGE_PATCH: Final = Depends(_require_merge_patch)
"""For the `dependencies` of a route: `@router.patch(…, dependencies=[TAKES_MERGE_PATCH])`."""


class PatchExample:
    """Annotates a merge patch: `Annotated[MergePatch[PassengerEdit], PatchExample(phone="+34600123456")]`.

    Args:
        changes: What can be sent as it stands. No nulls: FastAPI leaves them out of its documents.
    """

    def __init__(self, **changes: JsonValue) -> None:
        self._changes = changes

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Show it."""
        shown = handler(schema)
        handler.resolve_ref_schema(shown)["examples"] = [self._changes]
        return shown


class MergePatch(Generic[Edit]):
    """What a caller sends to change some fields.

    Each field given follows its rule in the model. A field that is left out stays as it is; null takes away one that
    the model does not require, and breaks the rule of one that it does. A field that is a model itself is merged in
    the same way; lists are replaced.

    Attributes:
        model: All that can be edited, as a `PUT` takes it.
        changes: The fields given, validated.
    """

    def __init__(self, model: type[Edit], changes: Mapping[str, Any]) -> None:
        self.model = model
        self.changes = changes

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - pydantic's signature
        """Read the fields given."""
        (model,) = get_args(source)

        def patch_of(given: BaseModel) -> MergePatch[Any]:
            return cls(model, _changes_in(given))

        return core_schema.no_info_after_validator_function(patch_of, handler.generate_schema(_some_fields_of(model)))

    def applied_to(self, stored: object) -> Edit:
        """The whole as it is to be. What is stored may break a rule that was made stricter since; nothing else may.

        Args:
            stored: Has an attribute for each field of the model.

        Raises:
            RequestValidationError: The whole breaks a rule that no field breaks alone (422).
        """
        fields = self.model.model_fields
        whole = {name: getattr(stored, name) for name in fields}
        for name, value in self.changes.items():
            whole[name] = _merged(whole[name], value) if _model_in(fields[name]) else value
            if value is None and not fields[name].is_required():
                del whole[name]
        try:
            return self.model.model_validate(to_jsonable_python(whole), context=COPIED)  # as a PUT would send it
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False)
            raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in mistakes]) from error


def _changes_in(given: BaseModel) -> dict[str, Any]:
    values = {name: getattr(given, name) for name in given.model_fields_set}
    return {name: _changes_in(value) if isinstance(value, BaseModel) else value for name, value in values.items()}


def _merged(stored: object, changes: Any) -> Any:  # noqa: ANN401 - of any model
    """RFC 7396, section 2, for the fields of a model inside of a model."""
    if not isinstance(changes, dict):
        return changes
    whole = to_jsonable_python(stored) or {}
    for name, value in changes.items():
        whole[name] = _merged(whole.get(name), value)
    return {name: value for name, value in whole.items() if value is not None}


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that is one, or null; not that of a list's entries."""
    is_union = get_origin(field.annotation) in {Union, UnionType}
    kinds = get_args(field.annotation) if is_union else (field.annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _some_fields_of(model: type[BaseModel]) -> type[BaseModel]:
    """The same fields by the same rules, but none of them required."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        inner = _model_in(field)
        rule: Any = _some_fields_of(inner) if inner else field.rebuild_annotation()
        shown = {**field.asdict()["attributes"], "default_factory": _nothing}
        shown.pop("default", None)
        fields[name] = (rule if field.is_required() else rule | None, Field(**shown))
    name = model.__name__.removeprefix("New").removesuffix("Edit")
    return create_model(f"{name}Patch", __config__=ConfigDict(extra="forbid"), **fields)


def _nothing() -> None:
    """What is left out is not set; unlike a default, this is not shown in JSON schema."""
