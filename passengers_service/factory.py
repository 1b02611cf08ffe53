"""`python -m passengers_service.factory --count 7000`: people who do not exist, the same ones for the same seed."""

import csv
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Annotated, Final, TextIO

import msgspec
import typer
from polyfactory.decorators import post_generated
from polyfactory.factories.pydantic_factory import ModelFactory

from passengers_service.commands.factory_names import COUNTRIES
from passengers_service.models.passenger import NewPassenger, PassengerEdit

_BY_CODE: Final = {country.code: country for country in COUNTRIES}
_SHARES: Final = list(accumulate(country.share for country in COUNTRIES))
_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example.com")
_YOUNGEST: Final = date(2024, 12, 31)
_DAYS: Final = 85 * 365
_NUMBERS: Final = 1_000_000_000
_SPREAD: Final = 618_033_989
"""Shares no divisor with `_NUMBERS`: so no number comes twice before all have come."""


class Format(StrEnum):
    """How the people are written."""

    json = "json"
    ndjson = "ndjson"
    csv = "csv"


class PassengerFactory(ModelFactory[NewPassenger]):
    """Makes passengers whose fields fit together."""

    __random__ = Random()  # our own, so that nobody else's seed changes who comes
    id = None

    @classmethod
    def nationality(cls) -> str:
        """Of the country's share."""
        return cls.__random__.choices(COUNTRIES, cum_weights=_SHARES)[0].code

    @classmethod
    def document_type(cls) -> str:
        """Mostly a passport."""
        return cls.__random__.choices(("passport", "id_card", "residence_permit"), cum_weights=(80, 96, 100))[0]

    @classmethod
    def birth_date(cls) -> date:
        """From babies to people of 85 years."""
        return _YOUNGEST - timedelta(days=cls.__random__.randrange(_DAYS))

    @post_generated
    @classmethod
    def first_name(cls, nationality: str) -> str:
        """One of the country's."""
        return cls.__random__.choice(_BY_CODE[nationality].first_names)

    @post_generated
    @classmethod
    def last_name(cls, nationality: str) -> str:
        """As many as people have there."""
        country = _BY_CODE[nationality]
        return " ".join(cls.__random__.choices(country.last_names, k=country.surnames))

    @post_generated
    @classmethod
    def email(cls, first_name: str, last_name: str) -> str | None:
        """Of the name; one of twenty has none."""
        number = cls.__random__.randrange(20_000)
        local = f"{_plain(first_name)}.{_plain(last_name)}{number}"
        return f"{local}@{cls.__random__.choice(_DOMAINS)}" if number >= 1_000 else None  # noqa: PLR2004 - a twentieth

    @post_generated
    @classmethod
    def phone(cls, nationality: str) -> str | None:
        """Of the country; one of ten has none."""
        number = cls.__random__.randrange(1_000_000_000)
        return f"+{_BY_CODE[nationality].calling_code}6{number:09}" if number % 10 else None


def passengers(count: int, seed: int) -> Iterator[NewPassenger]:
    """So many, each with a document of its own; the first ones of a seed are always the same."""
    PassengerFactory.seed_random(seed)
    for serial in range(count):
        number = (seed * 1_000_003 + serial * _SPREAD) % _NUMBERS
        yield PassengerFactory.build(document_number=f"P{chr(65 + seed % 26)}{number:09}")


def _plain(name: str) -> str:
    """The first word in ASCII letters: `ángel` and `o'connor` as `angel` and `oconnor`."""
    letters = unicodedata.normalize("NFKD", name.partition(" ")[0].lower().replace("ł", "l").replace("ß", "ss"))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


def _write_ndjson(people: Iterator[NewPassenger], output: TextIO) -> None:
    output.writelines(_text(one) + "\n" for one in people)


def _write_json(people: Iterator[NewPassenger], output: TextIO) -> None:
    separator = "["
    for one in people:
        output.write(f"{separator}\n{_text(one)}")
        separator = ","
    output.write("\n]\n" if separator == "," else "[]\n")


def _write_csv(people: Iterator[NewPassenger], output: TextIO) -> None:
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(PassengerEdit.model_fields)
    writer.writerows(_fields(one).values() for one in people)


def _fields(one: NewPassenger) -> dict[str, object]:
    return {name: getattr(one, name) for name in PassengerEdit.model_fields}


def _text(one: NewPassenger) -> str:
    return msgspec.json.encode(_fields(one)).decode()


_WRITERS: Final[dict[Format, Callable[[Iterator[NewPassenger], TextIO], None]]] = {
    Format.json: _write_json,
    Format.ndjson: _write_ndjson,
    Format.csv: _write_csv,
}


def main(
    count: Annotated[int, typer.Option(min=0, max=_NUMBERS, help="How many.")] = 7_000,
    written: Annotated[Format, typer.Option("--format", help="How they are written.")] = Format.ndjson,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other people.")] = 1,
    output: Annotated[Path | None, typer.Option(help="A file; without it they go to the standard output.")] = None,
) -> None:
    """Make up passengers, for `python -m passengers_service.load`."""
    with output.open("w", encoding="utf-8", newline="") if output else nullcontext(sys.stdout) as text:
        _WRITERS[written](passengers(count, seed), text)


if __name__ == "__main__":
    typer.run(main)
