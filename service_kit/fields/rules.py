"""Checks some fields of a row, received otherwise than by a request, by the rules of the API."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from service_kit.fields.text import COPIED


class FieldRules:
    """The rules of the fields of a model.

    Args:
        model: The body of a request.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        fields: dict[str, Any] = {
            name: (field.rebuild_annotation(), None) for name, field in model.model_fields.items()
        }
        self._some_fields = create_model(f"Some{model.__name__}", **fields)

    def broken_by(self, told: Mapping[str, object]) -> str | None:
        """The rule that these fields break, in a sentence that quotes no value; None if they break none.

        Fields without a rule are ignored. Values that an earlier release has accepted are accepted too.
        """
        try:
            checked = self._some_fields.model_validate(told, context=COPIED)
        except ValidationError as error:
            mistake = error.errors(include_url=False, include_input=False, include_context=False)[0]
            return f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg'].removeprefix('Value error, ')}"
        for name in checked.model_fields_set:
            if getattr(checked, name) != told[name]:
                return f"{name}: it is not spelled as it would be kept"
        return None
