import pytest
from pydantic import BaseModel

from service_kit.fields.email import QuickEmailAddress
from service_kit.fields.person import PersonName
from service_kit.fields.rules import FieldRules


class Person(BaseModel):
    name: PersonName
    email: QuickEmailAddress | None = None


RULES = FieldRules(Person)


@pytest.mark.parametrize(
    "told", [{}, {"name": "Ana"}, {"email": None}, {"name": "Ana\u3164"}, {"email": "an\ufe0fa@example.com"}], ids=ascii
)
def test_takes_what_any_release_has_taken(told: dict[str, object]) -> None:
    assert RULES.broken_by(told) is None


@pytest.mark.parametrize("told", [{"name": "A\na"}, {"name": ""}, {"email": "ana"}, {"name": " Ana"}], ids=ascii)
def test_tells_which_field_breaks_a_rule(told: dict[str, object]) -> None:
    broken = RULES.broken_by(told)

    assert broken is not None
    assert broken.startswith(f"{next(iter(told))}: ")
