from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from passengers_service import factory
from passengers_service.commands.factory_names import COUNTRIES
from passengers_service.factory import Format, passengers
from passengers_service.models.passenger import NewPassenger
from passengers_service.services.bulk.formats import reader_for
from passengers_service.services.bulk.validation import checked

KINDS = {Format.json: "application/json", Format.ndjson: "application/x-ndjson", Format.csv: "text/csv"}


@pytest.mark.parametrize("written", Format)
def test_writes_what_the_bulk_route_reads(tmp_path: Path, written: Format) -> None:
    file, app = tmp_path / "people", typer.Typer()
    app.command()(factory.main)

    done = CliRunner().invoke(app, ["--count", "300", "--format", written, "--output", str(file)])

    assert done.exit_code == 0, done.output
    reader = reader_for(KINDS[written])
    rows = checked([*reader.feed(file.read_bytes()), *reader.end()], reader.parser, first=1, most_mistakes=1000)
    assert list(rows.mistakes) == []
    assert [passenger for _, passenger in rows.passengers] == list(passengers(300, seed=1))


def test_the_same_seed_makes_the_same_people() -> None:
    assert list(passengers(50, seed=7)) == list(passengers(60, seed=7))[:50]
    assert list(passengers(50, seed=7)) != list(passengers(50, seed=8))


def test_each_has_a_document_of_its_own() -> None:
    assert len({one.document_number for one in passengers(3_000, seed=1)}) == 3_000


def test_their_fields_fit_together_and_may_be_missing() -> None:
    people = list(passengers(500, seed=1))

    assert all(one.phone is None or one.phone.startswith("+34") for one in people if one.nationality == "ES")
    assert {one.nationality for one in people} == {country.code for country in COUNTRIES}
    assert any(one.email is None for one in people)
    assert all(NewPassenger.model_validate(one.model_dump()) == one for one in people)
