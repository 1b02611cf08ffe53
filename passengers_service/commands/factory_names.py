"""Names of people by nationality, for `factory.py`: common ones, with the letters that their languages have."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Country:
    """Whose people are made up.

    Attributes:
        code: ISO 3166-1.
        calling_code: Of its telephones.
        share: How many of a hundred passengers come from it.
        surnames: How many a person has.
    """

    code: str
    calling_code: str
    share: int
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    surnames: int = 1


def _country(code: str, calling_code: str, share: int, names: str, *, surnames: int = 1) -> Country:
    first_names, last_names = (tuple(name.strip() for name in half.split(",")) for half in names.split("|"))
    return Country(code, calling_code, share, first_names, last_names, surnames)


COUNTRIES: Final = (
    _country(
        "ES",
        "34",
        28,
        "Ana María, José Luis, María del Carmen, Lucía, Martín, Íñigo, Begoña, Jordi, Núria, Álvaro, Sofía, Pilar |"
        "García, Martínez, López, Sánchez, Pérez, Gómez, Ruiz, Peña, Muñoz, Núñez, Ibáñez, Vázquez, Ortega, Castro",
        surnames=2,
    ),
    _country(
        "MX",
        "52",
        12,
        "Guadalupe, Juan Carlos, Ximena, Santiago, Fernanda, Emiliano, Regina, Miguel Ángel, Renata, Sebastián |"
        "Hernández, González, Rodríguez, Ramírez, Flores, Cruz, Morales, Reyes, Gutiérrez, Ortiz, Chávez, Mendoza",
        surnames=2,
    ),
    _country(
        "CO",
        "57",
        8,
        "Valentina, Andrés Felipe, Mariana, Juan David, Isabella, Camilo, Daniela, Santiago, Paola, Óscar |"
        "Rojas, Moreno, Gómez, Vargas, Castillo, Suárez, Londoño, Ospina, Restrepo, Cárdenas, Quiñones",
        surnames=2,
    ),
    _country(
        "AR",
        "54",
        6,
        "Martina, Facundo, Agustina, Joaquín, Micaela, Nicolás, Delfina, Ignacio, Milagros, Tomás |"
        "Fernández, Romero, Sosa, Benítez, Acosta, Giménez, Ferreyra, Rossi, Bianchi, Aguirre, Güemes",
    ),
    _country(
        "BR",
        "55",
        8,
        "João, Antônia, Luís Otávio, Letícia, Caio, Conceição, Thaís, Vinícius, Inês, Gonçalo |"
        "Silva, Santos, Oliveira, Souza, Gonçalves, Araújo, Conceição, Magalhães, Simões, da Costa",
        surnames=2,
    ),
    _country(
        "PT",
        "351",
        4,
        "Beatriz, Tomé, Mafalda, Simão, Constança, Estêvão, Inês, Zé Maria |"
        "Ferreira, Pereira, Guimarães, Fonseca, Brandão, Falcão, Mourão, Sá",
    ),
    _country(
        "FR",
        "33",
        7,
        "Zoé, Hélène, Jean-François, Chloé, Loïc, Gaëlle, Théo, Anaïs, Rémi, Éloïse |"
        "Lefèvre, Dupont, Durand, Béranger, Garçon, L'Hôte, Le Goff, Maître, Noël, D'Aubigné",
    ),
    _country(
        "DE",
        "49",
        7,
        "Jürgen, Käthe, Björn, Anke, Sönke, Ulrike, Jörg, Mareike, Götz, Frauke |"
        "Müller, Schröder, Weiß, Groß, Jäger, Köhler, Krüger, von der Heide, Böhm, Günther",
    ),
    _country(
        "GB",
        "44",
        6,
        "Oliver, Amelia, Siân, Harry, Zoë, Niamh, George, Chloe, Callum, Imogen |"
        "Smith, O'Connor, Taylor-Jones, Brown, MacDonald, Wright, O'Neil, Evans, Clarke, Hughes",
    ),
    _country(
        "US",
        "1",
        6,
        "Emma, Liam, Jayden, Ava, Noah, Renée, Mason, Sophia, José, Chloe |"
        "Johnson, Williams, Miller, Davis, Nguyen, García, Anderson, Jackson, St. John, Lee",
    ),
    _country(
        "PL",
        "48",
        4,
        "Łukasz, Małgorzata, Paweł, Żaneta, Krzysztof, Agnieszka, Michał, Bożena |"
        "Wójcik, Kamiński, Lewandowska, Zieliński, Dąbrowska, Kozłowski, Jabłońska, Święcicki",
    ),
    _country(
        "JP",
        "81",
        4,
        "Haruto, Yui, Sōta, Hina, Ren, Sakura, Yūto, Aoi |Satō, Suzuki, Takahashi, Itō, Watanabe, Kobayashi, Katō, Ōno",
    ),
)
