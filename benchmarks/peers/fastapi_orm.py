"""The peer of passengers_service: FastAPI, SQLAlchemy's ORM, `add_all` and a response model.

What a careful engineer writes from the manuals of FastAPI and SQLAlchemy, and nothing of this project's. It keeps no
outbox: nobody hears of what was loaded.

Run by `python -m benchmarks.peers.fastapi_orm`; it makes its table in the database `DATABASE_NAME` of `DATABASE_URL`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID, uuid4

import uvicorn
from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, EmailStr, StringConstraints
from sqlalchemy import DateTime, UniqueConstraint, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine  # noqa: TID251 - not ours
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The tables."""


class Passenger(Base):
    """What PostgreSQL keeps."""

    __tablename__ = "passengers"
    __table_args__ = (UniqueConstraint("document_type", "document_number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    document_type: Mapped[str]
    document_number: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    birth_date: Mapped[date]
    nationality: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))


class NewPassenger(BaseModel):
    """What a caller sends."""

    document_type: Annotated[str, StringConstraints(max_length=20)]
    document_number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)]
    first_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    last_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    email: EmailStr | None = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{6,14}$")] | None = None
    birth_date: date
    nationality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class PassengerView(NewPassenger):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    created_at: datetime
    updated_at: datetime


class Page(BaseModel):
    """One page of the list."""

    items: list[PassengerView]
    total: int


class Loaded(BaseModel):
    """The answer to a load."""

    created: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open one engine, and make the table."""
    server = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
    engine = create_async_engine(f"{server}/{os.environ['DATABASE_NAME']}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


app = FastAPI(title="passengers peer", lifespan=lifespan)


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for a request."""
    async with request.app.state.sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]


@app.post("/passengers/bulk")
async def load(passengers: list[NewPassenger], session: SessionDep) -> Loaded:
    """Store all of them."""
    session.add_all([Passenger(**passenger.model_dump()) for passenger in passengers])
    await session.commit()
    return Loaded(created=len(passengers))


@app.get("/passengers")
async def list_passengers(session: SessionDep, limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> Page:
    """List the first of them."""
    found = await session.scalars(select(Passenger).order_by(Passenger.id).limit(limit))
    total = await session.scalar(select(func.count()).select_from(Passenger))
    return Page(items=[PassengerView.model_validate(passenger) for passenger in found], total=total or 0)


@app.get("/health/ready")
async def ready(session: SessionDep) -> dict[str, str]:
    """Whether the database answers."""
    await session.execute(text("SELECT 1"))
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), loop="uvloop", http="httptools")
