"""What the documents say of a body is never narrower than what is taken, and JavaScript can read it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import passengers_service.models.passenger
import reservations_service.models.passenger
from loans_service.models.client import ClientEdit, NewClient
from loans_service.models.loan import Disbursement, Given, LoanEdit, NewLoan
from loans_service.models.payment import NewPayment, PaymentTerms
from loans_service.models.terms import Terms
from orders_service.models.order import NewOrder
from passengers_service.models.passenger import NewPassenger
from reservations_service.models.reservation import NewReservation, ReservationEdit
from service_kit.accounts.models import NewAccount, PasswordChange, SomeAccountChanges
from service_kit.api.merge_patch import MergePatch
from tests.contracts.test_openapi_lint import APIS
from tests.support.ajv import JsonObject, asked, bodies_of
from tests.support.generated import generated
from user_service.models.user import NewUser, SomeChanges

_REASONED: Final = TypeAdapter(Given)
TAKEN: Final[dict[str, TypeAdapter[Any]]] = {
    "loans_service PUT /auth/password": TypeAdapter(PasswordChange),
    "loans_service POST /accounts": TypeAdapter(NewAccount),
    "loans_service PATCH /accounts/{account_id}": TypeAdapter(SomeAccountChanges),
    "loans_service POST /clients": TypeAdapter(NewClient),
    "loans_service PUT /clients/{client_id}": TypeAdapter(ClientEdit),
    "loans_service PATCH /clients/{client_id}": TypeAdapter(MergePatch[ClientEdit]),
    "loans_service POST /loans": TypeAdapter(NewLoan),
    "loans_service POST /loans/quote": TypeAdapter(Terms),
    "loans_service PUT /loans/{loan_id}": TypeAdapter(LoanEdit),
    "loans_service PATCH /loans/{loan_id}": TypeAdapter(MergePatch[LoanEdit]),
    "loans_service POST /loans/{loan_id}/disburse": TypeAdapter(Disbursement | None),
    **{
        f"loans_service POST /loans/{{loan_id}}/{command}": _REASONED
        for command in ("reopen", "reject", "cancel", "write-off", "payments/{payment_id}/reverse")
    },
    "loans_service POST /loans/{loan_id}/payments": TypeAdapter(NewPayment),
    "loans_service POST /loans/{loan_id}/payments/quote": TypeAdapter(PaymentTerms),
    "user_service POST /users/": TypeAdapter(NewUser),
    "user_service PUT /users/{user_id}": TypeAdapter(SomeChanges),
    "user_service PATCH /users/{user_id}": TypeAdapter(MergePatch[NewUser]),
    "orders_service POST /orders": TypeAdapter(NewOrder),
    "passengers_service POST /passengers": TypeAdapter(NewPassenger),
    "passengers_service PUT /passengers/{passenger_id}": TypeAdapter(passengers_service.models.passenger.PassengerEdit),
    "passengers_service PATCH /passengers/{passenger_id}": TypeAdapter(
        MergePatch[passengers_service.models.passenger.PassengerEdit]
    ),
    "passengers_service POST /passengers/bulk": TypeAdapter(list[NewPassenger]),
    "reservations_service POST /reservations": TypeAdapter(NewReservation),
    "reservations_service PUT /reservations/{reservation_id}": TypeAdapter(ReservationEdit),
    "reservations_service PATCH /reservations/{reservation_id}": TypeAdapter(MergePatch[ReservationEdit]),
    "reservations_service PUT /passengers/{passenger_id}": TypeAdapter(
        reservations_service.models.passenger.PassengerEdit
    ),
    "reservations_service PATCH /passengers/{passenger_id}": TypeAdapter(
        MergePatch[reservations_service.models.passenger.PassengerEdit]
    ),
}
"""What validates the body of each operation that takes JSON."""

WHOLE_USER: Final = {"name": "Ana", "email": "ana@example.com", "password": "correct horse"}
YESTERDAY: Final = datetime.now(UTC).date() - timedelta(days=1)

zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(datetime(2027, 1, 1), datetime(2200, 1, 1), timezones=zones)  # noqa: DTZ001 - bounds are naive
signs = st.sampled_from("aZ9 ._+-@/'\x01\t\nñßé世😀\u0301\u200d\ufe0f\u2028\U0010ffff") | st.characters()
texts = st.text(signs, max_size=110)
values = st.one_of(
    texts,
    st.builds(
        "{}@{}.{}".format, texts, st.text("añ-9世", min_size=1, max_size=9), st.sampled_from(["com", "es", "世"])
    ),
    st.text("aZ 9ñß", min_size=8, max_size=60),
    st.sampled_from("añ世😀").flatmap(lambda sign: st.integers(8, 72).map(lambda count: sign * count)),
    st.dates(date(1900, 1, 1), YESTERDAY).map(date.isoformat),
    instants.map(datetime.isoformat) | instants.map(lambda instant: f"{instant:%Y-%m-%dt%H:%M:%S}z"),
    st.uuids().map(str) | st.integers(0, 1 << 60).map(lambda bits: str(UUID(int=7 << 76 | 2 << 62 | bits)).upper()),
    st.decimals(0, 10_000_000_000, places=2).flatmap(lambda amount: st.sampled_from([str(amount), float(amount)])),
    st.integers(0, 1_000_000) | st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.from_regex(r"\A\+?[A-Z0-9]{1,4}[0-9]{0,12}[A-Z]?\Z"),
    st.from_regex(r"\A[A-Za-z0-9_.:/-]{1,64}\Z"),
)

EDGES: Final = [
    *(19.99, 0.29, 1, 1.0, "9999999999.99", "1990-05-31", "2020-02-29", YESTERDAY.isoformat()),
    *("a" * 40 + "ñ" * 16, "a" * 72, "ñ" * 36, "世" * 24, "😀" * 18),
    *("2099-12-24t10:30:00z", "2099-12-24T10:30:00.123456789-23:59", "019A9F3E-6C00-7A1B-8C2D-3E4F5A6B7C8D"),
    *("Ana@Example.COM", "ñ@ñandú.com.ar", "用户@例子.广告", "o'neill+x@a-b.museum", "1\ufe0f\u20e3", "👩\u200d🚀"),
]


@pytest.fixture(scope="module")
def documents() -> dict[str, JsonObject]:
    """All documents by the name of their service."""
    return {name: build().openapi() for name, build in APIS.items()}


def test_javascript_compiles_every_schema(documents: dict[str, JsonObject]) -> None:
    assert asked(documents).errors == {}


def variants(whole: object, value: object) -> Iterator[object]:
    """Bodies that differ from a whole one in one place, wherever that is."""
    if isinstance(whole, dict):
        for name, part in whole.items():
            yield {**whole, name: value}
            yield from ({**whole, name: changed} for changed in variants(part, value))
    elif isinstance(whole, list):
        yield from ([changed] for changed in variants(whole[0], value))


def whole_body(document: JsonObject, operation: str) -> object:
    """The example of an operation's body, with all fields that it can have."""
    method, path = operation.split()
    schema = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    schema = schema.get("anyOf", [schema])[0]  # of a body that may be left out
    is_list = schema.get("type") == "array"
    name = (schema["items"] if is_list else schema)["$ref"].rpartition("/")[2].replace("Patch", "Edit")
    body = WHOLE_USER if name in {"UserChanges", "UserEdit"} else document["components"]["schemas"][name]["examples"][0]
    return [body] if is_list else body


def is_taken(operation: str, body: object) -> bool:
    try:
        TAKEN[operation].validate_python(body)
    except ValidationError:
        return False
    return True


def test_knows_every_body(documents: dict[str, JsonObject]) -> None:
    named = {f"{name} {operation}" for name, document in documents.items() for operation, _ in bodies_of(document)}

    assert named == TAKEN.keys()


def test_promises_whatever_is_taken(documents: dict[str, JsonObject]) -> None:
    some = [*EDGES, *generated(values, 400)]
    taken = [
        (f"{name}#{place}", body)
        for name, document in documents.items()
        for operation, place in bodies_of(document)
        for value in some
        for body in variants(whole_body(document, operation), value)
        if is_taken(f"{name} {operation}", body)
    ]

    mistakes = asked(documents, taken).mistakes

    assert len(taken) > 100
    assert [(body, mistake) for (_, body), mistake in zip(taken, mistakes, strict=True) if mistake][:3] == []
