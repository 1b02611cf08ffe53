from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans_service.models.documents import DocumentType, compact

ISSUED = {
    DocumentType.CURP: ("boxw310820hnerxn09".upper(), "BOXW310820HNERXN09"),
    DocumentType.RFC: ("GODE 561231-GR8", "GODE561231GR8"),
    DocumentType.RUT: ("12.531.909-2", "125319092"),
    DocumentType.NIT: ("213.123.432-1", "2131234321"),
    DocumentType.CI_EC: ("171430710-3", "1714307103"),
    DocumentType.CEDULA_DO: ("001-1391820-5", "00113918205"),
    DocumentType.RUC_PE: ("20512333797", "20512333797"),
    DocumentType.DNI: ("54362315-K", "54362315K"),
    DocumentType.NIE: ("X-2482300W", "X2482300W"),
}


@pytest.mark.parametrize(("kind", "spellings"), ISSUED.items())
def test_keeps_a_number_in_its_compact_form(kind: DocumentType, spellings: tuple[str, str]) -> None:
    assert compact(kind, spellings[0]) == spellings[1]


@pytest.mark.parametrize("kind", sorted(ISSUED.keys() - {DocumentType.RFC}))
def test_refuses_a_number_whose_check_digit_is_wrong(kind: DocumentType) -> None:
    number = ISSUED[kind][1]
    last = "A" if number[-1].isalpha() and number[-1] != "A" else str((int(number[-1], 36) + 1) % 10)

    with pytest.raises(ValueError, match="a digit is wrong"):
        compact(kind, number[:-1] + last)


def test_takes_an_rfc_without_asking_for_its_check_digit() -> None:
    assert compact(DocumentType.RFC, "VACE-460910-SX6") == "VACE460910SX6"


@pytest.mark.parametrize("kind", [DocumentType.INE, DocumentType.CC, DocumentType.PASSPORT, DocumentType.OTHER])
def test_keeps_what_has_no_check_digit_as_it_is_spelled(kind: DocumentType) -> None:
    assert compact(kind, "12/345") == "12/345"


@given(st.sampled_from(DocumentType), st.text("0123456789ABCXYZÑ&./- ", min_size=1, max_size=20))
def test_refuses_with_one_error_whatever_is_sent(kind: DocumentType, number: str) -> None:
    with suppress(ValueError):
        assert compact(kind, number)
