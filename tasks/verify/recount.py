"""The independent recount. It shares nothing with the code that wrote the files: it reads them with the standard
library, reads amounts by its own rule, and imports none of the mapping, transform or merge rooms.

What it is given: the drop as it came, the raw parts, and the files handed over.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

import polars as pl

csv.field_size_limit(1 << 30)  # a note may be longer than the default 128 KiB
_NO_SUM_OF_MONEY = Decimal(10) ** 30
EMAIL = re.compile(r"[\w.+'&-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,9}")
"""With the lengths RFC 5321 allows: without them a long text without an @ takes the square of its length."""


def count(data: bytes, limits: dict[str, int]) -> tuple[int | None, list[bytes]]:
    """`count_delimited`, as it is asked for behind the guard: these are the firm's own bytes."""
    return count_delimited(data), []


def count_delimited(data: bytes) -> int | None:
    """Rows of a delimited file, blank ones too, or None where its quoting leaves room for two answers."""
    text = _text(data)
    if text.startswith("sep="):
        text = text.split("\n", 1)[1]
    if text.count('"') % 2:
        return None
    outside = re.sub(r'"[^"]*"', "", text).replace("\r\n", "\n").replace("\r", "\n")
    if not text:
        return 0
    return outside.count("\n") + (0 if outside.endswith("\n") else 1)


def _text(data: bytes) -> str:
    """For counting, the letters do not matter: only where lines and quotes are."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16")
    if data[:4096].count(0) > len(data[:4096]) * 0.1:
        return data.decode("utf-16-le" if data[1:2] == b"\x00" else "utf-16-be", errors="replace")
    return data.decode("latin-1").removeprefix("\xef\xbb\xbf")


def read_file(data: bytes) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a file handed over."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    return (rows[0], rows[1:]) if rows else ([], [])


def amount(text: str | None, credit_is_negative: bool = True, comma: bool = False) -> Decimal | None:
    """An amount as a bookkeeper reads it; None where it is none."""
    if text is None:
        return None
    rest = re.sub(r"[^\d.,()CRDcrd−–—-]", "", text.upper().replace("AUD", "").replace("USD", "").replace("CAD", ""))
    side = re.search(r"(CR|DR)\.?$", rest)
    rest = re.sub(r"[A-Z]", "", rest)
    if rest in {"-", "–", "—"}:
        return Decimal(0)
    negative = rest.startswith(("-", "−", "(")) or rest.endswith("-")
    digits = re.sub(r"[()−–—-]", "", rest)
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    try:
        value = Decimal(digits)
    except InvalidOperation:
        return None
    if abs(value) >= _NO_SUM_OF_MONEY:
        return None
    if side and (side.group(1) == "CR") == credit_is_negative:
        negative = not negative
    return -value if negative else value


def amounts(cells: pl.Series, credit_is_negative: bool = True, comma: bool = False) -> pl.Series:
    """`amount` for a column: each distinct text is read once."""
    distinct = cells.drop_nulls().unique()
    read = [(text, amount(text, credit_is_negative, comma)) for text in distinct.to_list()]
    good = [(text, value) for text, value in read if value is not None]
    if not good:
        return pl.Series(cells.name, [None] * cells.len(), dtype=pl.Decimal(38, 6))
    keys = pl.Series([text for text, _ in good], dtype=pl.String)
    values = pl.Series([str(value) for _, value in good]).cast(pl.Decimal(38, 6))
    return cells.to_frame("t").select(pl.col("t").replace_strict(keys, values, default=None)).to_series()


def sum_by(header: list[str], rows: Iterable[list[str]], key: str, *factors: str) -> dict[str, Decimal]:
    """Sums of a product of columns, by a key column; each product rounded to the cent as the target shows it."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    places = [header.index(name) for name in factors]
    at = header.index(key)
    for row in rows:
        product = Decimal(1)
        for place in places:
            product *= Decimal(row[place])
        sums[row[at]] += product.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP") if len(places) > 1 else product
    return dict(sums)


def emails_in(cells: Iterable[str]) -> set[str]:
    return {found.casefold().strip(".'") for cell in cells if "@" in cell for found in EMAIL.findall(cell)}


def digits_in(cells: Iterable[str]) -> set[str]:
    """Each cell's digits, where there are enough for a telephone number."""
    return {digits for cell in cells if len(digits := re.sub(r"\D", "", cell)) >= 6}


def cells_of(frame: pl.DataFrame, places: Iterable[int]) -> Iterator[str]:
    for place in places:
        yield from frame[f"c{place}"].drop_nulls().to_list()
