"""The rules of an API's fields, for what comes by another way than a request: a few fields of a row, not all."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from service_kit.fields.text import COPIED


class FieldRules:
    """The rules of the fields of a model.

    Args:
        model: As a caller sends it.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        fields: dict[str, Any] = {
            name: (field.rebuild_annotation(), None) for name, field in model.model_fields.items()
        }
        self._some_fields = create_model(f"Some{model.__name__}", **fields)

    def broken_by(self, told: Mapping[str, object]) -> str | None:
        """What is wrong with these fields, in a sentence that quotes none; those without a rule are passed over.

        What an earlier release has taken and stored is taken too.
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
