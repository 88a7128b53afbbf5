"""Workbooks: every value arrives as it is, and none of them can run."""

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from caseferry.workbooks import Workbook


def sheet(*rows: tuple[Any, ...], width: int = 1) -> Any:
    return book_of(*rows, width=width)["One"]


def book_of(*rows: tuple[Any, ...], width: int = 1) -> Any:
    book = Workbook("A book", 20)
    book.add("One", [f"column {number}" for number in range(width)], rows)
    return openpyxl.load_workbook(io.BytesIO(book.done()))


@pytest.mark.parametrize("text", [
    "=HYPERLINK(\"http://x\")", "<r><t>bold</t></r>", "a & b < c > d", "  before and behind ", "two\nlines", "a\ttab", "_x004", "naïve ÿ 𝄞", "http://x.example", "0012", "-5",
])  # fmt: skip
def test_a_text_arrives_as_it_is(text: str) -> None:
    cell = sheet((text,))["A2"]
    assert (cell.value, cell.hyperlink) == (text, None)
    assert cell.data_type in {"s", "inlineStr"}


def test_what_xml_can_not_hold_is_written_as_excel_writes_it() -> None:
    data = io.BytesIO()
    book = Workbook("A book", 20)
    book.add("One", ["a"], [("bell \x07, return \r, none \ufffe",), ("_x0007_",)])
    data.write(book.done())
    with zipfile.ZipFile(data) as packed:
        text = packed.read("xl/worksheets/sheet1.xml").decode()
    assert "bell _x0007_, return _x000D_, none _xFFFE_" in text
    assert "_x005F_x0007_" in text


def test_a_text_is_cut_where_a_cell_ends_in_units_of_utf_16() -> None:
    assert sheet(("𝄞" * 20_000,))["A2"].value == "𝄞" * 16_383
    assert sheet(("a" * 40_000,))["A2"].value == "a" * 32_767


@pytest.mark.parametrize("heading", ["<r>A & B</r>", "<r>a</b></r>", "<r>note</r>", "</sheetData>", '<dimension ref="A1"/>', "=1+1"])
def test_a_heading_arrives_as_it_is(heading: str) -> None:
    book = Workbook("A book", 20)
    book.add("One", [heading, "b"], [("x", "y")])
    found = openpyxl.load_workbook(io.BytesIO(book.done()))["One"]
    assert [[cell.value for cell in row] for row in found] == [[heading, "b"], ["x", "y"]]
    assert found["B1"].font.b and found.dimensions == "A1:B2"


def test_a_control_character_makes_no_other_of_the_text_before_it() -> None:
    book = Workbook("A book", 20)
    book.add("One", ["a"], [("_x0041\x01",)])
    with zipfile.ZipFile(io.BytesIO(book.done())) as packed:
        assert "_x005F_x0041_x0001_" in packed.read("xl/worksheets/sheet1.xml").decode()


def test_a_sheet_without_rows_or_columns_is_one() -> None:
    book = Workbook("A book", 20)
    book.add("One", [], [])
    book.add("Two", ["a"], [])
    found = openpyxl.load_workbook(io.BytesIO(book.done()))
    assert [[cell.value for cell in row] for row in found["Two"]] == [["a"]] and found["One"]["A1"].value is None


def test_what_is_wider_than_a_sheet_is_cut() -> None:
    book = Workbook("A book", 20)
    book.add("One", ["a"] * 16_390, [[1] * 16_390])
    assert openpyxl.load_workbook(io.BytesIO(book.done()))["One"].dimensions == "A1:XFD2"


def test_numbers_are_numbers_and_nothing_is_an_empty_cell() -> None:
    found = sheet((1, None, "", True, 2.5), width=5)
    assert [cell.value for cell in found[2]] == [1, None, None, "True", "2.5"]
    assert found["A2"].data_type == "n"
    assert found.dimensions == "A1:E2"


def test_the_header_stays_in_sight_and_every_cell_wraps() -> None:
    found = sheet(("x",))
    assert found.freeze_panes == "A2" and found["A1"].font.b and not found["A2"].font.b
    assert found["A2"].alignment.wrap_text


def test_names_are_cut_and_told_apart() -> None:
    book = Workbook("A book", 20)
    for _ in range(2):
        book.add("a [very] long name, longer than any sheet's", ["x"], [])
    names = openpyxl.load_workbook(io.BytesIO(book.done())).sheetnames
    assert len(set(names)) == 2 and all(len(name) <= 31 for name in names)


def test_equal_sheets_make_equal_bytes() -> None:
    def made() -> bytes:
        book = Workbook("A book", 20)
        book.add("One", ["x"], [("y",)])
        return book.done()

    assert made() == made()


def test_what_is_more_than_a_sheet_holds_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseferry.workbooks._ROWS", 3)
    found = sheet(*((number,) for number in range(9)))
    assert [cell.value for cell in found["A"]] == ["column 0", 0, 1, 2, "More rows follow; they are in the ledger's own files."]
