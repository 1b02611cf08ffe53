"""The figures in the documents are those of results.json."""

from pathlib import Path

import pytest

from benchmarks.harness.results import DOCUMENTS, filled, read


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_documents_show_what_was_measured(document: Path) -> None:
    assert filled(document.read_text(), DOCUMENTS[document]) == document.read_text(), "run `make bench`"


def test_every_row_says_where_and_when_it_was_measured() -> None:
    for row in read():
        assert {"measured_on", "cores", "processor", "versions"} <= row["machine"].keys(), row["name"]


def test_every_shown_row_was_measured() -> None:
    shown = {name for rows in DOCUMENTS.values() for name in rows}
    assert shown <= {row["name"] for row in read()}


def test_puts_the_table_between_the_marks() -> None:
    text = "before\n<!-- benchmarks: filled in by `make bench` -->\nold\n<!-- end of benchmarks -->\nafter\n"
    new = filled(text, {})
    assert new.startswith("before\n")
    assert new.endswith("after\n")
    assert "old" not in new
