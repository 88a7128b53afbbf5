"""The independent recount. It shares nothing with the code that wrote the files: it reads them back and proves by their
length that nothing was overlooked, reads amounts by its own rule, and imports none of the mapping, transform or merge rooms.

What it is given: the drop as it came, the raw parts, and the files handed over.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import accumulate, groupby, pairwise
from typing import Protocol

import polars as pl

csv.field_size_limit(1 << 30)  # a note may be longer than the default 128 KiB
_NO_SUM_OF_MONEY = Decimal(10) ** 30
_SHOWN, _EXACT = pl.Decimal(38, 6), pl.Decimal(38, 8)
EMAIL = r"[\w.+'&-]+@[\w-]+(?:\.[\w-]+)+"
"""For an engine without backtracking: a long text without an @ takes one pass."""


class Foreign(Protocol):
    """Foreign bytes, as they are handed over behind the guard."""

    def __len__(self) -> int: ...

    def __getitem__(self, span: slice, /) -> bytes: ...


def count(data: Foreign, limits: dict[str, int], blobs: object) -> int | None:
    """Rows of a delimited file, blank ones too, or None where its quoting leaves room for two answers."""
    rows = _Rows()
    for piece in _plain(data, _NEAR):
        rows.see(piece)
    return rows.count


def count_closely(data: Foreign, limits: dict[str, int], blobs: object) -> int | None:
    """The same, cell by cell: a quotation mark opens a cell where one begins and closes it where one ends, and is a character of
    it anywhere else. For lists of which the marks, each taken for one that opens or closes, tell another number. None where
    a cell has one that may be more than inches: it could belong to a text that goes on in the next line.
    """
    text, ends = b"".join(_plain(data)), 0
    for cell in _CELL.finditer(text):
        ends += cell[2] in _ROW_ENDS
        if cell[1] and b'"' in cell[1] and len(_NO_INCHES.findall(cell[1])) % 2:
            return None
    return ends + (bool(text) and not text.endswith(_ROW_ENDS))


_CELL = re.compile(rb'(?:"(?:[^"]++|"")*+"(?=[,;\t|\r\n]|\Z)|([^,;\t|\r\n]*+))(\r\n|[,;\t|\r\n]|\Z)')
_NO_INCHES = re.compile(rb'(?<![0-9])"')
_ROW_ENDS = (b"\r\n", b"\n", b"\r")


def last_row(xml: Iterator[bytes]) -> int | None:
    """The number of a sheet's last row with a value, told from its end. None where two programs might count two ways: rows
    or cells that are not numbered upwards, comments, cells below the last value that hold an empty text or a formula
    without a result."""
    above = last = lowest = 0
    held, ended = b"", False
    for piece in xml:
        if ended:
            continue  # its checksum stands at its end
        held += piece
        ended = b"</sheetData>" in held
        end = held.find(b"</sheetData>") if ended else len(held)
        cut = end if ended else held.rfind(b"</row>", 0, end) + 6
        text, held = (held[:cut], held[cut:]) if ended or cut > 5 else (b"", held)
        if not _is_usual(text):
            return None
        rows = list(map(int, _ROW_NUMBER.findall(text)))
        cells = [int(number) for number, _ in groupby(_CELL_ROW.findall(text))]
        if len(rows) != text.count(b"<row"):
            return None
        if any(one >= other for one, other in pairwise([above, *rows])) or any(one >= other for one, other in pairwise(cells)) or not set(cells) <= set(rows):
            return None
        above = rows[-1] if rows else above
        filled, some = _last_filled(text)
        last, lowest = max(last, filled), max(lowest, some)
    return last if last == lowest and (ended or b"<" not in held) else None


def _is_usual(text: bytes) -> bool:
    """True without comments, prefixes, blanks before a cell's end, and cells that do not begin with their address."""
    if b"<row" not in text and b":row" in text or b"<!" in text or text.count(b"<?") != text.startswith((b"<?xml ", b"\xef\xbb\xbf<?xml ")):
        return False
    at = text.find(b"<sheetData")
    rows = text[at + 1 :] if at >= 0 else text  # before them stand columns, whose names begin alike
    return b"<sheetData" not in rows and rows.count(b"<c") == rows.count(b"<c r=") and rows.count(b"</c") == rows.count(b"></c>")


def _last_filled(text: bytes) -> tuple[int, int]:
    """The rows of the last cell with a value, and of the last that holds anything; 0 if there is none."""
    some, end = 0, len(text)
    while (end := text.rfind(b"></c>", 0, end)) >= 0:
        start = text.rfind(b"<c r=", 0, end)
        address = _ADDRESS.match(text, start)
        if address is None:
            return 0, 1 << 30
        content = text[address.end() : end + 1]
        if content:
            some = some or int(address[1])
            if (_VALUE if b'"inlineStr"' not in address[0] else _INLINE).fullmatch(content):
                return int(address[1]), some
        end = start
    return 0, some


_ROW_NUMBER = re.compile(rb'<row (?:[^<>]*? )?r="(\d+)"')
_CELL_ROW = re.compile(rb'<c r="[A-Z]+(\d+)"')
_ADDRESS = re.compile(rb'<c r="[A-Z]+(\d+)"[^<>]*>')
_VALUE = re.compile(rb"(?:<f[^<>]*/>|<f[^<>]*>[^<>]*</f>)?<v>[^<>]+</v>")
_INLINE = re.compile(rb"<is>.*<t(?: [^<>]*)?>[^<>].*</is>", re.DOTALL)


def count_begun(data: Foreign, limits: dict[str, int], blobs: object, word: str) -> int:
    """Rows of a list made of a file that is no table: as often as something begins in it, and a header."""
    return _begun(data, word)[0]


def count_calendar(data: Foreign, limits: dict[str, int], blobs: object) -> dict[str, int]:
    """The same of a calendar's lists: its events, and its to-dos."""
    return dict(zip(("", "to-dos"), _begun(data, "VEVENT", "VTODO"), strict=True))


def _begun(data: Foreign, *words: str) -> list[int]:
    """How often each begins, and one more; the data may be such as goes by once."""
    begun, held = [1] * len(words), b""
    marks = [re.compile(rb"(?im)^BEGIN:" + word.encode() + rb"[ \t]*$") for word in words]
    for piece in _plain(data):
        text = (held + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole, held = text[: text.rfind(b"\n") + 1], text[text.rfind(b"\n") + 1 :]
        begun = [count + len(mark.findall(whole)) for count, mark in zip(begun, marks, strict=True)]
    return [count + len(mark.findall(held)) for count, mark in zip(begun, marks, strict=True)]


def count_letters(data: Foreign, limits: dict[str, int], blobs: object) -> int:
    """Rows of a list made of a mailbox: its messages, and a header."""
    count, held, begun = 0, b"", False
    for at in range(0, len(data), _PIECE):
        text = held + data[at : at + _PIECE]
        text = text if begun else text.lstrip(b"\xef\xbb\xbf \t\r\n")
        count += not begun and bool(text) and not _LETTER.match(text)  # what stands before the first separator is one
        begun = begun or bool(text)
        last = text.rfind(b"\nFrom ") + 1 if at + _PIECE < len(data) else len(text)
        count += len(_LETTER.findall(text[:last]))
        held = text[last:]
    return count + 1


_LETTER = re.compile(rb"(?m)^From [^\n]*[0-9][0-9]:[0-9][0-9][^\n]*\n(?=[\x21-\x39\x3b-\x7e]+:)")


def count_records(data: Foreign, limits: dict[str, int], blobs: object) -> int:
    """Rows of a dBase table: records that are there and not deleted, and a header."""
    head = data[:12]
    begin, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    rows = 0
    for start in range(begin, len(data), 65_536 * width):
        flags = data[start : start + 65_536 * width]
        whole = flags[: len(flags) // width * width][::width]
        rows += whole.count(b" ")
    return rows + 1


class _Rows:
    """Counts line ends outside quotation marks, wherever the text is cut."""

    def __init__(self) -> None:
        self._ends = 0
        self._is_open = self._is_begun = False
        self._after_return = False
        """The last byte was a carriage return that ended a row."""

    def see(self, text: bytes) -> None:
        if not text:
            return
        if self._after_return and text.startswith(b"\n"):
            self._ends -= 1  # the two were one line end
        pairs = not (text.endswith(b"\r") or _RETURN_ALONE.search(text))
        marks = text.translate(None, _NO_MARKS) if pairs else text  # where no carriage return stands alone, line feeds tell all
        pieces = marks.split(b'"')
        outside = b'"'.join(pieces[1::2] if self._is_open else pieces[::2])
        self._ends += outside.count(b"\n") + (0 if pairs else outside.count(b"\r") - outside.count(b"\r\n"))
        self._is_open ^= len(pieces) % 2 == 0
        self._after_return = text.endswith(b"\r") and not self._is_open
        self._is_begun = not text.endswith((b"\n", b"\r"))

    @property
    def count(self) -> int | None:
        return None if self._is_open else self._ends + self._is_begun


_RETURN_ALONE = re.compile(rb"\r[^\n]")
_NO_MARKS = bytes(set(range(256)) - set(b'"\n'))
_PIECE, _NEAR = 8 << 20, 1 << 20
"""Bytes that are looked at at a time; and where nothing is held of them."""


def _plain(data: Foreign, size: int = _PIECE) -> Iterator[bytes]:
    """For counting, the letters do not matter: only where lines and quotes are."""
    head = data[:4096]
    start, encoding = 0, ""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        encoding = "utf-16"
    elif head.count(0) > len(head) * 0.1:
        encoding = "utf-16-le" if head[1:2] == b"\x00" else "utf-16-be"
    elif head.startswith(b"\xef\xbb\xbf"):
        start = 3
    decoder = codecs.getincrementaldecoder(encoding or "latin-1")("replace")
    is_first = True
    for at in range(start, len(data), size):
        text = data[at : at + size]
        if encoding:
            text = decoder.decode(text).encode()
        if is_first and text.startswith(b"sep="):
            text = text.partition(b"\n")[2]
        is_first = False
        yield text


def read_file(data: bytes, header: list[str] | None = None) -> tuple[list[str], pl.DataFrame, bool]:
    """Header and lines of a file handed over, or of a piece of one, and whether all are of one width.

    The lines have columns `0`, `1`, … of text; an empty cell, and one that is not there, is the empty text.

    Args:
        header: what was read of the file's first piece, for those behind it.
    """
    plain = data.removeprefix(b"\xef\xbb\xbf") if header is None else data
    if not plain:
        return header or [], pl.DataFrame(), True
    try:
        every = pl.read_csv(plain, has_header=False, infer_schema=False, new_columns=None, empty_string_is_null=False)
        every = every.rename({name: str(place) for place, name in enumerate(every.columns)})
    except pl.exceptions.PolarsError:
        every = pl.DataFrame()
    if _is_all(every, plain):
        return (list(every.row(0)), every.slice(1), True) if header is None else (header, every, every.width == len(header))
    rows = list(csv.reader(io.StringIO(plain.decode(), newline="")))
    head, rows = (rows[0], rows[1:]) if header is None else (header, rows)
    width = max(len(row) for row in [head, *rows])
    padded = [row + [""] * (width - len(row)) for row in rows]
    lines = pl.DataFrame(padded, schema={str(place): pl.String for place in range(width)}, orient="row")
    return head, lines, {len(row) for row in rows} <= {len(head)}


def read_pieces(some: Sequence[bytes], header: list[str], rows: Sequence[int]) -> list[pl.DataFrame] | None:
    """The lines of several pieces at once, as `read_file` gives them of each.

    Args:
        some: none is the beginning of its file.
        header: of all their files.
        rows: how many lines each is said to have.

    Returns:
        None where one has to be read by itself: it is not so many lines of one width, to the byte.
    """
    try:
        every = pl.read_csv(b"".join(some), has_header=False, infer_schema=False, new_columns=[str(place) for place in range(len(header))], empty_string_is_null=False)
    except pl.exceptions.PolarsError:
        return None
    if every.is_empty() or every.width != len(header) or every.height != sum(rows) or every.null_count().sum_horizontal()[0]:
        return None
    ends = list(accumulate(rows))
    sizes = every.select(pl.sum_horizontal(pl.all().str.len_bytes()).cum_sum()).to_series()
    until = [sizes[end - 1] if end else 0 for end in ends]
    for data, count, cells in zip(some, rows, (end - begin for begin, end in pairwise([0, *until])), strict=True):
        if not _is_whole(cells, count, len(header), data):
            return None
    return [every.slice(end - count, count) for end, count in zip(ends, rows, strict=True)]


def _is_all(every: pl.DataFrame, data: bytes) -> bool:
    """True if the cells, each between quotation marks, with what stands between them, are the file to the byte."""
    if every.is_empty() or every.null_count().sum_horizontal()[0]:
        return False
    return _is_whole(every.select(pl.all().str.len_bytes().sum()).sum_horizontal()[0], every.height, every.width, data)


def _is_whole(cells: int, height: int, width: int, data: bytes) -> bool:
    """True if so many bytes of cells, two marks round each and a second one for each within, with what stands between them,
    are the data: every mark that stands there is one of those."""
    doubled, odd = divmod(data.count(b'"') - 2 * height * width, 2)
    end = 2 if data.endswith(b"\r\n") else 1
    return not odd and doubled >= 0 and cells + doubled + height * (3 * width - 1 + end) == len(data)


_MARKS = {
    "USD": ("US$", "$"), "AUD": ("AU$", "A$", "$"), "CAD": ("CA$", "C$", "$"), "NZD": ("NZ$", "$"), "HKD": ("HK$", "$"), "SGD": ("SG$", "S$", "$"), "MXN": ("$",),
    "GBP": ("£",), "EUR": ("€",), "JPY": ("¥",), "CNY": ("¥",), "INR": ("₹",), "ILS": ("₪",),
}  # fmt: skip
"""How a currency is marked, the longer first. Written down once more: the rule that made the amounts is not asked."""


@lru_cache(maxsize=1 << 18)
def amount(text: str | None, credit_is_negative: bool = True, comma: bool = False, currency: str = "") -> Decimal | None:
    """An amount as a bookkeeper reads it; None where it is none, or none of this currency."""
    if text is None:
        return None
    plain = text.upper()
    if currency:
        for mark in (currency, *_MARKS.get(currency, ())):
            plain = plain.replace(mark, "")
        if re.search(r"[^\s\d.,'()+−–—-]", re.sub(r"(CR|DR)\.?\s*$", "", plain.strip())):
            return None
    rest = re.sub(r"[^\d.,()CRD−–—-]", "", plain.replace("AUD", "").replace("USD", "").replace("CAD", ""))
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


def amounts(cells: pl.Series, credit_is_negative: bool = True, comma: bool = False, currency: str = "") -> pl.Series:
    """`amount` for a column: each distinct text is read once, and by itself only where it is more than figures."""
    distinct = cells.drop_nulls().cast(pl.String).unique()
    group, point = (".", ",") if comma else (",", ".")
    sign = r"\$?" if not currency or "$" in _MARKS.get(currency, ()) else ""
    is_plain = distinct.str.contains(rf"^-?{sign}[0-9][0-9\{group}]{{0,20}}(?:\{point}[0-9]{{1,6}})?$")
    plain = distinct.filter(is_plain)
    figures = plain.str.replace_all(rf"[$\{group}]", "").str.replace(point, ".", literal=True).cast(_SHOWN)
    read = [(text, amount(text, credit_is_negative, comma, currency)) for text in distinct.filter(~is_plain).to_list()]
    good = [(text, value) for text, value in read if value is not None]
    keys = pl.concat([plain, pl.Series([text for text, _ in good], dtype=pl.String)])
    if keys.is_empty():
        return pl.Series(cells.name, [None] * cells.len(), dtype=_SHOWN)
    values = pl.concat([figures, pl.Series([str(value) for _, value in good], dtype=pl.String).cast(_SHOWN)])
    return cells.to_frame("t").select(pl.col("t").replace_strict(keys, values, default=None)).to_series()


def sum_by(keys: pl.Series, *factors: pl.Series) -> pl.DataFrame:
    """`key`, `value`: sums of a product of columns of plain numbers; each product rounded to the cent as the target shows it.

    Raises:
        polars.exceptions.InvalidOperationError: a cell is no plain number.
    """
    made = pl.DataFrame([factor.cast(_EXACT).alias(str(place)) for place, factor in enumerate(factors)])
    value = made["0"]
    for place in range(1, len(factors)):
        value = (value * made[str(place)]).cast(_EXACT)
    if len(factors) > 1:
        value = value.round(2, mode="half_away_from_zero")
    return pl.DataFrame({"key": keys, "value": value}).group_by("key").agg(pl.col("value").sum())


def cents_if_it_can(value: Decimal) -> Decimal:
    cents = value.quantize(Decimal("0.01"))
    return cents if cents == value else value.normalize()


def emails_in(cells: pl.Series) -> pl.Series:
    """The distinct addresses in some cells."""
    found = cells.filter(cells.str.contains("@", literal=True)).unique().str.extract_all(EMAIL).explode().drop_nulls()
    return found.str.to_lowercase().str.strip_chars(".'").unique().sort()


def digits_in(cells: pl.Series) -> pl.Series:
    """The digits of each distinct cell, where there are enough for a telephone number."""
    distinct = cells.unique()
    digits = distinct.filter(distinct.str.count_matches(r"\d") >= 6).str.replace_all(r"\D", "")
    return digits.filter(digits.str.len_chars() >= 6).unique().sort()


def cells_of(frame: pl.DataFrame, places: Iterable[str]) -> pl.Series:
    """The cells of some columns, one column after the other."""
    return pl.concat([pl.Series("cell", [], dtype=pl.String), *(frame[place].drop_nulls().alias("cell") for place in places)])
