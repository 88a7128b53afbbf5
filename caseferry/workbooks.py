"""A workbook for people: sheets of typed strings and numbers, below a bold first row that stays in sight.

xlsxwriter makes the book, its sheets and their styles. The rows, the first too, are laid into those as text: it takes a
call for each cell, which was a second of a large firm's last step, and writes a cell of `<r>…</r>` as it stands, for text
with formats. No cell of ours can run: none is a formula or a link, whatever it begins with.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from caseferry.errors import BrokenPromise

_ROWS, _COLUMNS = 1_000_000, 16_384
"""The most that a sheet shows of a list, below its header, and can hold of a row."""
_UNITS = 32_767
"""Of UTF-16, the most that a cell holds."""
_ODD = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|\A\s|\s\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LIKE_CONTROL = re.compile(r"_(?=x[0-9A-Fa-f]{4}[_\x00-\x08\x0b-\x1f\ufffe\uffff])")
"""What would be read as one that is written so; a control character's own mark begins with a stroke too."""


class Workbook:
    """A book that grows by sheets. Equal sheets make equal bytes.

    Args:
        width: of each column, in digits.
    """

    def __init__(self, title: str, width: int) -> None:
        self._buffer, self._width = io.BytesIO(), width
        self._book = xlsxwriter.Workbook(self._buffer, {"in_memory": True})
        self._book.set_properties({"title": title, "created": datetime(2000, 1, 1)})
        self._bold, self._wrap = self._book.add_format({"bold": True}), self._book.add_format({"text_wrap": True, "valign": "top"})
        self._names = set[str]()
        self._sheets: list[tuple[Sequence[str], list[Sequence[Any]]]] = []

    def add(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A sheet. Integers are numbers, nothing and the empty text are empty cells, all else is text.

        Args:
            name: cut, and numbered where there is another of that name.
        """
        clean = "".join(char for char in name if char not in "[]:*?/\\'")[:28]
        while clean.casefold() in self._names:
            clean = clean[:26] + str(len(self._names))
        self._names.add(clean.casefold())
        sheet = self._book.add_worksheet(clean)
        sheet.write_string(0, 0, "", self._bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, min(max(1, len(header)), _COLUMNS) - 1, self._width, self._wrap)
        self._sheets.append((header, list(islice(rows, _ROWS + 1))))

    def done(self) -> bytes:
        """The whole book; nothing can be added from now on."""
        self._book.close()
        made = io.BytesIO()
        with zipfile.ZipFile(self._buffer) as bare, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
            sheets = {f"xl/worksheets/sheet{number}.xml": sheet for number, sheet in enumerate(self._sheets, 1)}
            for entry in bare.infolist():
                data = bare.read(entry)
                book.writestr(entry, _filled(data.decode(), *sheets[entry.filename]).encode() if entry.filename in sheets else data, compresslevel=_PACKED)
        return made.getvalue()


_PACKED = 3
"""How closely the book is compressed: a fifth less time than at 6, a tenth more bytes."""


def _filled(sheet: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A sheet that has nothing but an empty cell with the style of its header, and columns with that of all else; with what it
    is to hold.

    Raises:
        BrokenPromise: it is not laid out so.
    """
    bold, plain = re.search(r'<c r="A1" s="(\d+)"', sheet), re.search(r'<col [^>]*style="(\d+)"', sheet)
    begin, found, end = re.split(r'(<row r="1".*</row>)', sheet, maxsplit=1) if sheet.count("<row ") == 1 else ("", "", "")
    if not (bold and plain and found):
        raise BrokenPromise("an empty sheet of a workbook is laid out in another way")
    if len(rows) > _ROWS:
        rows = [*rows[:_ROWS], ["More rows follow; they are in the ledger's own files."]]
    laid = [_row(1, header, bold[1]), *(_row(number, row, plain[1]) for number, row in enumerate(rows, 2))]
    width = min(max(1, len(header), max(map(len, rows), default=0)), _COLUMNS)
    begin = begin.replace('<dimension ref="A1"/>', f'<dimension ref="A1:{_letters(width)[-1]}{len(laid)}"/>', 1)
    return "".join([begin, *laid, end])


def _row(number: int, row: Sequence[Any], style: str) -> str:
    letters = _letters(min(len(row), _COLUMNS))
    return f'<row r="{number}">{"".join([_cell(f"{letter}{number}", value, style) for letter, value in zip(letters, row, strict=False) if value is not None and value != ""])}</row>'


@lru_cache(maxsize=64)
def _letters(width: int) -> list[str]:
    return [xl_col_to_name(place) for place in range(width)]


def _cell(address: str, value: Any, style: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<c r="{address}" s="{style}"><v>{value}</v></c>'
    text = str(value)
    if len(text) > _UNITS // 2:
        text = text.encode("utf-16-le")[: 2 * _UNITS].decode("utf-16-le", "ignore")
    if not _ODD.search(text):
        return f'<c r="{address}" s="{style}" t="inlineStr"><is><t>{text}</t></is></c>'
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", _LIKE_CONTROL.sub("_x005F_", text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c r="{address}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
