"""What of PostgreSQL's errors reaches a log, a trace, an answer or a dead letter: nobody's values."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from service_kit.messaging.circuit_breaker import CircuitBreaker
from service_kit.messaging.deduplication import DeduplicationWindow
from service_kit.messaging.events import Event, encode_event
from service_kit.messaging.processor import MessageProcessor, Retry
from service_kit.observability.logs import configure_logs
from service_kit.postgres.bulk_copy import copy_rows
from service_kit.postgres.store import PostgresStore
from service_kit.settings.process import ServiceSettings
from tests.service_kit.conftest import ClientMaker
from tests.support.ledger import api
from tests.support.ledger.serving import serving
from tests.support.ledger.tables import PAYMENTS
from tests.support.rabbit_support import thing_happened

pytestmark = pytest.mark.usefixtures("clean_environment")

SECRET = "PAB123456"


async def insert_twice(session: AsyncSession) -> None:
    await session.execute(PAYMENTS.insert(), [{"payer": SECRET, "cents": 1}] * 2)


async def insert_null(session: AsyncSession) -> None:
    await session.execute(text("INSERT INTO payments (payer) VALUES (:payer)"), {"payer": SECRET})


async def cast_wrongly(session: AsyncSession) -> None:
    await session.execute(text("SELECT CAST(CAST(:payer AS text) AS integer)"), {"payer": SECRET})


async def pass_another_type(session: AsyncSession) -> None:
    await session.execute(text("SELECT CAST(:cents AS integer)"), {"cents": SECRET})


async def pass_half_a_character(session: AsyncSession) -> None:
    await session.execute(text("SELECT CAST(:payer AS text)"), {"payer": SECRET + "\ud800"})


async def copy_twice(session: AsyncSession) -> None:
    await copy_rows(session, PAYMENTS, ["payer", "cents"], _twice())


async def copy_another_type(session: AsyncSession) -> None:
    await copy_rows(session, PAYMENTS, ["cents", "payer"], _twice())


async def _twice() -> AsyncIterator[tuple[str, int]]:
    for _ in range(2):
        yield SECRET, 1


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a collector would get."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.mark.parametrize(
    "violate",
    [insert_twice, insert_null, cast_wrongly, pass_another_type, pass_half_a_character, copy_twice, copy_another_type],
)
async def test_an_error_quotes_no_row(
    ledger: PostgresStore, violate: Callable[[AsyncSession], Awaitable[None]]
) -> None:
    with pytest.raises(Exception) as broken:  # noqa: PT011 - SQLAlchemy's, or the driver's own
        async with ledger.transaction() as session:
            await violate(session)

    assert SECRET not in "".join(traceback.format_exception(broken.value))


async def test_a_violation_still_says_which_constraint(ledger: PostgresStore) -> None:
    with pytest.raises(SQLAlchemyError, match="payments_one_a_payer"):
        async with ledger.transaction() as session:
            await insert_twice(session)


async def test_neither_the_answer_nor_the_log_of_a_500_quotes_a_row(
    ledger: PostgresStore, make_client: ClientMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(api.build(ledger), make_client) as client:
        answer = await client.post(f"/payments?payer={SECRET}&cents=0")

    logged = "".join(line for line in capsys.readouterr().out.splitlines() if "logger=httpx" not in line)
    assert (answer.status_code, "CheckViolationError" in logged) == (500, True)
    assert SECRET not in logged + answer.text


async def test_neither_the_dead_letter_nor_the_trace_of_a_message_quotes_a_row(
    ledger: PostgresStore, capsys: pytest.CaptureFixture[str], spans: InMemorySpanExporter
) -> None:
    configure_logs(ServiceSettings())

    async def handle(_event: Event) -> None:
        await ledger.in_transaction(insert_twice)

    disposition = await MessageProcessor(handle, DeduplicationWindow(), CircuitBreaker()).process(
        encode_event(thing_happened()), asyncio.Event()
    )

    assert isinstance(disposition, Retry)
    assert "payments_one_a_payer" in disposition.reason
    traced = "".join(span.to_json() for span in spans.get_finished_spans())
    assert "payments_one_a_payer" in traced
    assert SECRET not in disposition.reason + capsys.readouterr().out + traced
