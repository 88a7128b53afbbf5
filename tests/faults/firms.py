"""Small made-up firms, each another by its seed, with every kind of list and some rows that need a person."""

import random

from tests.crossing import packed

_FIRST = ("Ada", "Björn", "Chloë", "Dev", "Eve", "Fay", "Gus", "Hal")
_LAST = ("Smith", "O'Brien", "Núñez", "de la Cruz", "Müller", "Lee", "-Hart", "Ng")
MARK = "CANARY7f3a"


def lists(seed: int, rows: int = 4, mark: str = "") -> dict[str, str | bytes]:
    """The lists of one firm.

    Args:
        rows: matters; the other lists follow.
        mark: stands in every cell that can hold text.
    """
    dice = random.Random(seed)
    people = [(f"{mark}{dice.choice(_FIRST)}{n}", f"{mark}{dice.choice(_LAST)}") for n in range(rows)]
    cards = "".join(f'"{last}, {first}",{first},{last},,{mark}{first.casefold()}@x.example,0412 345 6{n:02d},{mark}odd\n' for n, (first, last) in enumerate(people))
    cards += f",,,{mark}Acme & Sons,{mark}not-an-address,{mark}12,\n"
    matters = "".join(f'{mark}24-{n:04d},"{mark}Sale, of shop {n}","{last}, {first}",{dice.choice(("Open", "Closed", "Stage 3"))},{n % 15 + 13:02d}/05/2024,Jane Doe\n' for n, (first, last) in enumerate(people))
    time = "".join(f"{n % 15 + 13:02d}/05/2024,{mark}24-{dice.randrange(rows):04d},JD,{dice.randrange(1, 40) / 10},{dice.choice((200, 250, 333.33))},,{mark}Work {n}\n" for n in range(2 * rows))
    notes = "".join(f'31/05/2024,{mark}Call,"{mark}said ""yes"", then left\nand came back",{mark}24-{dice.randrange(rows + 1):04d}\n' for _ in range(rows))
    trust = "".join(f"{mark}24-{n:04d},{dice.randrange(1, 99999) / 100}\n" for n in range(rows))
    return {
        "cards.csv": "Card Name,First Name,Last Name,Organisation,Email,Mobile,Mystery\n" + cards,
        "matters.csv": "Matter No,Description,Client,Status,Open Date,Person Responsible\n" + matters,
        "time.csv": "Date,Matter No,Staff,Hours,Rate,Amount,Description\n" + time,
        "notes.csv": "Date,Subject,File Note,Matter No\n" + notes,
        "trust.csv": "Matter No,Trust Balance\n" + trust,
        "Documents/x.rtf": "{\\rtf1 " + mark + "}",
    }  # fmt: skip


def export(seed: int, rows: int = 4, mark: str = "") -> bytes:
    """The lists as one archive."""
    return packed(lists(seed, rows, mark))
