"""A workbook for people: sheets of typed strings and numbers, below a bold first row that stays in sight.

xlsxwriter makes the book, its sheets and their headers. The rows are laid into those as text: it takes a call for each cell,
which was a second of a large firm's last step, and writes a cell of `<r>…</r>` as it stands, for text with formats. No
cell of ours can run: none is a formula or a link, whatever it begins with.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from caseferry.errors import BrokenPromise

_ROWS = 1_000_000
_UNITS = 32_767
"""Of UTF-16, the most that a cell holds."""
_ODD = re.compile(r"[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]|_x[0-9A-Fa-f]{4}_|\A\s|\s\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LIKE_CONTROL = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


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
        self._sheets: list[tuple[int, list[str]]] = []
        """Of each sheet: how many columns it has, and its rows, which want the number of their style."""

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
        for place, heading in enumerate(header):
            sheet.write_string(0, place, heading, self._bold)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(0, len(header) - 1), self._width, self._wrap)
        self._sheets.append((len(header), list(_rows(rows, [xl_col_to_name(place) for place in range(len(header))]))))

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


def _rows(rows: Iterable[Sequence[Any]], letters: Sequence[str]) -> Iterable[str]:
    for number, row in enumerate(rows, 2):
        if number > _ROWS:
            yield _row(number, letters[:1], ["More rows follow; they are in the ledger's own files."])
            return
        yield _row(number, letters, row)


def _row(number: int, letters: Sequence[str], row: Sequence[Any]) -> str:
    return f'<row r="{number}">{"".join([_cell(f"{letter}{number}", value) for letter, value in zip(letters, row, strict=True) if value is not None and value != ""])}</row>'


def _cell(address: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<c r="{address}" {_STYLE}><v>{value}</v></c>'
    text = str(value)
    if len(text) > _UNITS // 2:
        text = text.encode("utf-16-le")[: 2 * _UNITS].decode("utf-16-le", "ignore")
    if not _ODD.search(text):
        return f'<c r="{address}" {_STYLE} t="inlineStr"><is><t>{text}</t></is></c>'
    text = _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", _LIKE_CONTROL.sub("_x005F_", text))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<c r="{address}" {_STYLE} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


_STYLE = 's="1"'
"""The style of a cell below the header, which is that of its column."""


def _filled(sheet: str, width: int, rows: Sequence[str]) -> str:
    """A sheet that has nothing but its header, with the rows below it."""
    if not rows:
        return sheet
    begin, end = sheet.rsplit("</sheetData>", 1)
    if re.search(r'<col [^>]*style="1"', begin) is None:
        raise BrokenPromise("the columns of a sheet have another style than its cells")
    begin = re.sub(r'<dimension ref="A1(?::[A-Z]+1)?"/>', f'<dimension ref="A1:{xl_col_to_name(max(0, width - 1))}{len(rows) + 1}"/>', begin, count=1)
    return "".join([begin, *rows, "</sheetData>", end])
