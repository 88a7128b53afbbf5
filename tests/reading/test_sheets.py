"""Sheets read out of their XML have the cells that the library reads, whoever wrote them and in whatever way."""

import datetime as dt
import io
import random
import re
import time
import zipfile
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from caseferry.errors import ExportRefused
from caseferry.reading import archive, sheetxml, workbook
from caseferry.reading.grid import Grid, gathered
from caseferry.reading.package import Package, contents
from caseferry.reading.source import Source
from caseferry.reading.works import named
from config.limits import ReadingLimits
from tasks.verify import recount, sheets
from tests.crossing import book

LIMITS = named(ReadingLimits().model_dump())
TEXTS = [
    "abc", "Müller & Söhne", "<tag>", "line\nbreak", "tab\there", " lead", "trail ", "_x000D_", "a_x0041_b", "two\r\nlines", "日本", "😀", '"quoted"', "", "0012", "1e5",
    "TRUE", "#N/A", "  ", "&amp;", "]]>", "x" * 300,
]  # fmt: skip
STYLES = ("dd/mm/yyyy", "hh:mm", "yyyy-mm-dd hh:mm:ss", "0.00", "#,##0.00;[Red]-#,##0.00", "@", "0%", "d mmm", "General", '"$"#,##0', '0.0"d"')
WAYS: dict[str, list[tuple[bytes, bytes]]] = {
    "as the writer wrote it": [],
    "cells on lines of their own": [(rb"<c ", rb"\n  <c ")],
    "style before address": [(rb'<c r="([A-Z]+\d+)" s="(\d+)"', rb'<c s="\2" r="\1"')],
    "no addresses": [(rb' r="[A-Z]+\d+"', rb"")],
    "rows on lines of their own": [(rb"</row>", rb"</row>\n")],
    "with a comment": [(rb"</sheetData>", rb"<!-- end --></sheetData>")],
    "blanks in values": [(rb"<v>1", rb"<v> 1")],
    "with a prefix": [(rb"<(/?)(worksheet|sheetData|row|c|v|f|is|t)\b", rb"<\1x:\2"), (rb"xmlns=", rb"xmlns:x=")],
}


def value(dice: random.Random) -> Any:
    kinds: list[Callable[[], Any]] = [
        lambda: dice.choice(TEXTS), lambda: dice.choice(TEXTS) + str(dice.randrange(99)), lambda: dice.randrange(-5, 10**6), lambda: 10 ** dice.randrange(20),
        lambda: dice.random() * 10 ** dice.randrange(-8, 14), lambda: round(dice.random() * 1000, 2), lambda: -dice.random(), lambda: 0.1 + 0.2,
        lambda: dice.choice([True, False]), lambda: dt.time(dice.randrange(24), dice.randrange(60), dice.randrange(60)), lambda: None,
        lambda: dt.datetime(1900, 1, 1) + dt.timedelta(seconds=dice.randrange(8 * 10**9)), lambda: dt.datetime(2024, 1, 1) + dt.timedelta(days=dice.randrange(9000)),
    ]  # fmt: skip
    return dice.choice(kinds)()


def made(seed: int) -> bytes:
    """A workbook of everything a cell may be, with gaps, hidden rows, and sheets that begin anywhere."""
    dice, buffer = random.Random(seed), io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": bool(seed % 3 == 0), "date_1904": bool(seed % 4 == 0), "in_memory": True}
    with xlsxwriter.Workbook(buffer, options) as written:
        styles = [written.add_format({"num_format": style}) for style in STYLES]
        for _ in range(dice.randrange(1, 4)):
            sheet, row, left = written.add_worksheet(), dice.choice([0, 0, 3]), dice.choice([0, 0, 2])
            width = dice.randrange(1, 30)
            for _ in range(dice.randrange(60)):
                row += dice.choice([1] * 9 + [4])
                if dice.random() < 0.05:
                    sheet.set_row(row, None, None, {"hidden": True})
                for column in range(left, left + width):
                    write(sheet, row, column, value(dice), dice, styles)
    return buffer.getvalue()


def write(sheet: Any, row: int, column: int, cell: Any, dice: random.Random, styles: list[Any]) -> None:
    style = dice.choice(styles) if dice.random() < 0.5 else None
    if cell is None:
        sheet.write_blank(row, column, None, dice.choice(styles))
    elif isinstance(cell, dt.datetime | dt.time):
        sheet.write_datetime(row, column, cell, style or styles[0])
    elif isinstance(cell, str) and dice.random() < 0.1:
        sheet.write_formula(row, column, '=A1&"x"', style, dice.choice([cell, 1.5, "#DIV/0!", True]))
    elif isinstance(cell, str) and cell.strip() and dice.random() < 0.1:
        sheet.write_rich_string(row, column, "a ", styles[4], cell, styles[5], " c")
    elif isinstance(cell, str):
        sheet.write_string(row, column, cell, style)
    else:
        (sheet.write_boolean if isinstance(cell, bool) else sheet.write_number)(row, column, cell, style)


def rewritten(data: bytes, way: list[tuple[bytes, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            text = old.read(entry)
            for pattern, instead in way if entry.filename.startswith("xl/worksheets/") else ():
                text = re.sub(pattern, instead, text)
            new.writestr(entry.filename, text)
    return buffer.getvalue()


def in_pieces(size: int, patch: pytest.MonkeyPatch) -> None:
    """Have a sheet come, and be read, so many bytes at a time."""
    patch.setattr(sheetxml, "_BLOCK", size)
    patch.setattr(archive, "_PLAIN", size)
    patch.setattr(archive, "_PACKED", size)


def read(data: bytes) -> list[tuple[str, pl.DataFrame, dict[str, Any]]]:
    return [(sheet.name, gathered(list(sheet.pieces)).cells, sheet.facts) for sheet in workbook.sheets_of(Source.of(data), "x", LIMITS)]


def read_by_the_library(data: bytes) -> list[tuple[str, pl.DataFrame, dict[str, Any]]]:
    package = Package(Source.of(data), "x", LIMITS)
    known = contents(package, LIMITS)
    facts = workbook._looked_through(package, known, LIMITS)
    return [(sheet.name, gathered(list(sheet.pieces)).cells, sheet.facts) for sheet in workbook._by_library(Source.of(data), "x", LIMITS, known, facts)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [200, 3_000, 3 << 20])
def test_cells_and_facts_are_the_library_s(way: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(size, monkeypatch)
    for seed in range(8):
        data = rewritten(made(seed), WAYS[way])
        for (name, cells, facts), (name_then, cells_then, facts_then) in zip(read(data), read_by_the_library(data), strict=True):
            assert (name, facts) == (name_then, facts_then)
            assert cells.equals(cells_then), f"{seed}, {name}"


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_counted_as_they_are_read_or_not_at_all(way: str) -> None:
    counted = 0
    for seed in range(8):
        data = rewritten(made(seed), WAYS[way])
        count = sheets.count(Source.of(data), ReadingLimits().model_dump(), None, "x")  # type: ignore[arg-type]
        for name, cells, _ in read(data):
            assert count[name] in {None, cells.height}
            counted += count[name] is not None
    assert counted or way in {"no addresses", "with a prefix", "with a comment", "style before address"}


V = "<v>1</v>"
ODD_ROWS = {
    "nothing": "",
    "values on lines of their own": f'<row r="1"><c r="A1">\n{V}\n</c></row><row r="2"><c r="A2">\n{V}\n</c></row>',
    "an end with a blank": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="A2">{V}</c ></row>',
    "a row in a comment": f'<row r="1"><c r="A1">{V}</c></row><!-- <row r="9"><c r="A9">{V}</c></row> -->',
    "a cell outside its row": f'<row r="1"><c r="A9">{V}</c></row><row r="2"><c r="A2">{V}</c></row>',
    "no address at the end": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c>{V}</c></row>',
    "a tab before the address": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c\tr="A2">{V}</c></row>',
    "two addresses": f'<row r="1"><c r="A1" r="B1">{V}</c></row>',
    "rows downwards": f'<row r="3"><c r="A3">{V}</c></row><row r="1"><c r="A1">{V}</c></row>',
    "a value before its formula": '<row r="1"><c r="A1"><v>5</v><f>B1</f></c></row>',
    "a formula without a result": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="B2"><f>A1</f></c></row>',
    "an empty result": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="B2"><f/><v/></c></row>',
    "an empty result in full": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="B2"><f/><v></v></c></row>',
    "an empty result of a text": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="B2" t="str"><v></v></c></row>',
    "an inline text with a value": f'<row r="1"><c r="A1">{V}</c></row><row r="2"><c r="A2" t="inlineStr"><v>x</v></c></row>',
    "an inline text": '<row r="1"><c r="A1" t="inlineStr"><is><t> x &amp; t="e"</t></is></c></row>',
    "a number with a sign": '<row r="1"><c r="A1" t="s"><v>+1</v></c><c r="B1" t="s"><v>1</v></c></row>',
    "texts as they are": "".join(f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(6)),
    "a text that is not there": '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
    "days and other numbers": "".join(f'<row r="{n}"><c r="A{n}" s="{n % 2}"><v>{value}</v></c></row>' for n, value in enumerate(("45000", "45000.5", "1E+05", "-0", "0.1e-7", "1.0", "00012", "12.50"), 1)),
    "empty rows in between": f'<row r="1"><c r="A1">{V}</c></row><row r="2"/><row r="3" ht="5"></row><row r="4"><c r="B4">{V}</c></row><row r="9"/>',
}  # fmt: skip
STRINGS = "<si><t>a</t></si><si><t> lead</t></si><si><t xml:space=\"preserve\"> kept </t></si><si><r><t>rich</t></r><r><t> text</t></r></si><si/><si><t>ph</t><rPh sb=\"0\" eb=\"1\"><t>x</t></rPh></si>"


def package(rows: str, styles: str = "styles.xml", strings: str = STRINGS) -> bytes:
    """A workbook by hand: whoever wrote it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book([["x", dt.datetime(2024, 5, 31)]]))) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            text = old.read(entry).decode()
            if entry.filename == "xl/worksheets/sheet1.xml":
                text = f"{text[: text.index('<sheetData>')]}<sheetData>{rows}</sheetData></worksheet>"
            if entry.filename == "xl/sharedStrings.xml":
                text = f"{text[: text.index('<si>')]}{strings}</sst>"
            new.writestr(entry.filename.replace("styles.xml", styles), text)
    return buffer.getvalue()


def outcome(read_it: Callable[[bytes], list[tuple[str, pl.DataFrame, dict[str, Any]]]], data: bytes) -> Any:
    try:
        return [(name, cells.to_dicts(), facts) for name, cells, facts in read_it(data)]
    except Exception as error:  # the library's own errors, and refusals
        return "refused" if isinstance(error, ExportRefused) or "Calamine" in type(error).__name__ else repr(error)


@pytest.mark.parametrize("rows", ODD_ROWS)
@pytest.mark.parametrize("styles", ["styles.xml", "Styles.xml"])
def test_what_is_written_oddly_is_read_as_the_library_reads_it(rows: str, styles: str) -> None:
    data = package(ODD_ROWS[rows], styles)
    ours = outcome(read, data)
    assert ours == outcome(read_by_the_library, data)
    if ours != "refused":
        [(name, cells, _)] = ours
        assert sheets.count(Source.of(data), ReadingLimits().model_dump(), None, "x")[name] in {None, len(cells)}  # type: ignore[arg-type]


def test_rows_that_come_back_are_refused_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(500, monkeypatch)
    later = "".join(f'<row r="{n}"><c r="A{n}">{V}</c></row>' for n in range(100, 200))
    with pytest.raises(ExportRefused) as caught:
        read(package(later + f'<row r="5"><c r="A5">{V}</c></row>'))
    assert (caught.value.code, caught.value.detail) == ("CF-123", "its rows do not stand in order")


def test_a_text_that_would_end_its_cell_is_never_put_into_one() -> None:
    data = package('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', strings='<si><t>x</t></is></c><c r="B2"><v>999</v></c><c><is></si>')
    assert outcome(read, data) == outcome(read_by_the_library, data)


def test_a_damaged_sheet_is_noticed_though_its_rows_end_before_the_damage() -> None:
    data = bytearray(package(f'<row r="1"><c r="A1">{V}</c></row>'))
    at = data.rindex(b"</worksheet>")
    data[at + 2] ^= 1
    with pytest.raises(ExportRefused) as caught:
        read(bytes(data))
    assert caught.value.code == "CF-121"


@pytest.mark.parametrize("rows", ['<row r="{n}"/>' * 200_000, " " * 300_000 + "x<row>", "<row " * 60_000 + "></row>"])
def test_what_is_long_and_empty_takes_no_time(rows: str) -> None:
    began = time.process_time()
    data = package(rows)
    outcome(read, data)
    sheets.count(Source.of(data), ReadingLimits().model_dump(), None, "x")  # type: ignore[arg-type]
    assert time.process_time() - began < 20  # a quarter of a second; the square of it would be minutes


def test_a_plain_sheet_never_meets_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    data = book([["Matter No", "Hours", "Amount"], *([f"24-{n:04d}", n / 4, n * 1.01] for n in range(2_000))])

    def refuse(*_: object) -> None:
        raise AssertionError("the whole sheet was left to the library")

    monkeypatch.setattr(workbook._Plain, "_rest_by_library", refuse)
    monkeypatch.setattr(workbook, "_by_library", refuse)
    [(_, cells, _)] = read(data)
    assert cells.height == 2_001 and cells.row(2_000)[1:] == ("24-1999", "499.75", "2018.99")


def test_a_sheet_that_turns_odd_is_gone_on_with_where_it_did(monkeypatch: pytest.MonkeyPatch) -> None:
    in_pieces(2_000, monkeypatch)
    data = rewritten(book([[f"row {n}", n] for n in range(500)]), [(rb'<c r="A400"', rb'<c  r="A400"')])
    [(_, cells, _)] = read(data)
    assert cells["row"].to_list() == list(range(1, 501))
    assert cells["c1"].to_list() == [str(n) for n in range(500)]


def test_a_span_of_time_no_calendar_holds_is_the_number_it_is_written_as() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as written:
        written.add_worksheet().write_row(0, 0, [5e12, 1.5], written.add_format({"num_format": "[h]:mm"}))
    [(_, cells, _)] = read(buffer.getvalue())
    assert cells.row(0)[1:] == ("5000000000000", "36:00")


def test_a_sheet_cut_off_in_the_middle_is_refused() -> None:
    with pytest.raises(ExportRefused) as caught:
        read(rewritten(book([["a", "b"]] * 50), [(rb'(?s)<row r="30".*', b"")]))
    assert caught.value.code == "CF-123"


@pytest.mark.parametrize(
    ("xml", "rows"),
    [
        (b'<row r="1"><c r="A1"><v>1</v></c></row><row r="3"><c r="A3" s="1"/></row>', 1),
        (b'<row r="1"><c r="A1"><v>1</v></c></row><row r="3"><c r="A3" t="str"><f>B3</f><v></v></c></row>', None),
        (b'<row r="3"><c r="A3"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>', None),
        (b'<row r="1"><c><v>1</v></c></row>', None),
        (b'<row r="2"><c r="A2" t="inlineStr"><is><t>x</t></is></c></row><row r="5"><c r="A5"></c></row>', 2),
        (b"", 0),
    ],
)
def test_the_last_row_with_a_value_is_told_from_the_end(xml: bytes, rows: int | None) -> None:
    whole = b"<worksheet><sheetData>" + xml + b"</sheetData></worksheet>"
    for size in (7, 40, 1000):
        assert recount.last_row(whole[at : at + size] for at in range(0, len(whole), size)) == rows


def test_grids_of_sheets_keep_their_columns() -> None:
    [(_, cells, _)] = read(book([["", "", "b"], [], ["a"]]))
    assert Grid(cells).columns == ["c0", "c1", "c2"] and cells.rows() == [(1, None, None, "b"), (2, None, None, None), (3, "a", None, None)]
