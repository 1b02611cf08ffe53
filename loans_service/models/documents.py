"""Identity documents: which there are, and when a number is one.

A number whose kind has check digits is stored in its compact form, `GODE561231GR8` for `GODE 561231-GR8`.
"""

import re
from enum import StrEnum
from types import ModuleType
from typing import Annotated, Any, Final

from pydantic import Field
from stdnum import exceptions
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.do import cedula
from stdnum.ec import ci
from stdnum.es import dni, nie
from stdnum.mx import curp, rfc
from stdnum.pe import ruc

from service_kit.fields.text import Normalized, TextPattern


class DocumentType(StrEnum):
    """Kinds of documents."""

    CURP = "CURP"
    RFC = "RFC"
    INE = "INE"
    RUT = "RUT"
    NIT = "NIT"
    CC = "CC"
    CI_EC = "CI_EC"
    CEDULA_DO = "CEDULA_DO"
    RUC_PE = "RUC_PE"
    DNI = "DNI"
    NIE = "NIE"
    PASSPORT = "passport"
    OTHER = "other"


_CHECKED: Final[dict[DocumentType, ModuleType]] = {
    DocumentType.CURP: curp,
    DocumentType.RFC: rfc,  # without its check digit: the issuer has not always kept it
    DocumentType.RUT: rut,
    DocumentType.NIT: nit,
    DocumentType.CI_EC: ci,
    DocumentType.CEDULA_DO: cedula,
    DocumentType.RUC_PE: ruc,
    DocumentType.DNI: dni,
    DocumentType.NIE: nie,
}
_COMPACT: Final = re.compile(r"[0-9A-Z&Ñ]+")

DocumentNumber = Annotated[
    str,
    Field(max_length=32, description="Unique together with its type. Small letters become large."),
    TextPattern(
        r"^[A-Za-z0-9&Ññ]([ ./-]?[A-Za-z0-9&Ññ])*$",
        "Write letters A to Z and digits, between them single signs . / - or a blank",
    ),
    Normalized(to_upper=True),
]


def compact(kind: DocumentType, number: str) -> str:
    """The number as it is stored.

    Raises:
        ValueError: No document of this kind has this number; the number is not quoted.
    """
    checker: Any = _CHECKED.get(kind)
    if checker is None:
        return number
    try:
        found = str(checker.validate(number))
    except exceptions.ValidationError:
        found = ""
    if not _COMPACT.fullmatch(found):
        raise ValueError(f"This is no {kind}: a digit is wrong, missing or too many")
    return found
