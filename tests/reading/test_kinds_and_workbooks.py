import datetime as dt
import io
import zipfile
from typing import Any

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading.grid import Grid
from caseferry.reading.kinds import Kind, kind_of
from caseferry.reading.source import Source
from config.limits import ReadingLimits
from tests.crossing import book, lists_of, packed


def read_workbook(data: bytes, name: str, limits: ReadingLimits = ReadingLimits()) -> list[Grid]:  # noqa: B008
    return lists_of(data, True, name, limits)


def test_a_file_is_told_by_its_content() -> None:
    assert kind_of(book([["a"]])) is Kind.WORKBOOK
    assert kind_of(packed({"a.csv": "x"})) is Kind.ARCHIVE
    assert kind_of(packed({"[Content_Types].xml": "x", "word/document.xml": "x"})) is Kind.DOCUMENT
    assert kind_of(b"%PDF-1.7 ...") is Kind.PDF
    assert kind_of(b"") is Kind.EMPTY
    assert kind_of(b"From: a@x\r\nTo: b@x\r\nSubject: hi\r\n\r\nbody") is Kind.MAIL
    assert kind_of(b"From,To,Subject\n1,2,3\n") is Kind.DELIMITED
    assert kind_of("Matter No\tDate\r\n1\t2\r\n".encode("utf-16")) is Kind.DELIMITED
    assert kind_of("Matter No\tDate\r\n1\t2\r\n".encode("utf-16-le")) is Kind.DELIMITED
    assert kind_of(b'{"account_owner": true}') is Kind.JSON
    assert kind_of(b"BEGIN:VCALENDAR\r\n") is Kind.CALENDAR
    assert kind_of(b"\x89PNG\r\n\x1a\n") is Kind.DOCUMENT


def test_cells_come_as_a_person_would_write_them() -> None:
    data = book([["007", 1001.0, 0.1 + 0.2, True, dt.datetime(2024, 5, 31), "-x", "=1+1"]])
    grid = read_workbook(data, "x")[0]
    assert grid.cells.row(0)[1:] == ("007", "1001", "0.3", "TRUE", "2024-05-31", "-x", "=1+1")


def test_the_1904_epoch_is_known() -> None:
    data = book([[dt.datetime(2024, 5, 31)]], date_1904=True)
    grid = read_workbook(data, "x")[0]
    assert grid.epoch_1904
    assert grid.cells.row(0)[1] == "2024-05-31"


def test_a_stray_far_cell_is_refused_and_does_not_end_us() -> None:
    data = book([["a", "b"], ["1", "2"]])
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for item in old.infolist():
            text = old.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                text = text.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
            new.writestr(item, text)
    with pytest.raises(ExportRefused) as caught:
        read_workbook(buffer.getvalue(), "x")
    assert caught.value.code == "CF-112"


def test_a_workbook_that_needs_too_much_ends_its_reader_alone() -> None:
    data = book([[f"text {n}" * 20 for n in range(20)] for _ in range(3000)])
    with pytest.raises(ExportRefused) as caught:
        read_workbook(data, "x", ReadingLimits(memory_bytes=150 << 20))
    assert caught.value.code in {"CF-112", "CF-123"}


def test_rubbish_that_begins_like_a_workbook_is_refused() -> None:
    with pytest.raises(ExportRefused):
        read_workbook(b"PK\x03\x04" + b"xl/workbook" * 50, "x")


def test_an_open_document_sheet_is_a_workbook_too() -> None:
    rows = "".join(
        "<table:table-row>" + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row) + "</table:table-row>"
        for row in (("Surname", "First Name"), ("Smith", "007"))
    )
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    content = f"<office:document-content {names}><office:body><office:spreadsheet><table:table table:name='S'>{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    listed = f'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("mimetype", kind)
        made.writestr("content.xml", content)
        made.writestr("META-INF/manifest.xml", listed)
    assert kind_of(buffer.getvalue()) is Kind.WORKBOOK
    assert [row[1:] for row in read_workbook(buffer.getvalue(), "x")[0].cells.rows()] == [("Surname", "First Name"), ("Smith", "007")]


@pytest.mark.parametrize("above", [0, 1, 60_000])
@pytest.mark.parametrize("before", [0, 3])
def test_rows_and_columns_keep_their_numbers_wherever_a_sheet_begins(above: int, before: int) -> None:
    rows: list[list[Any]] = [*([[]] * above), [""] * before + ["a", ""], [], [""] * before + ["b", 2.5]]
    grid = read_workbook(book(rows), "x")[0]
    filled = [(row[0], row[1 + before :]) for row in grid.cells.rows() if any(row[1:])]
    assert filled == [(above + 1, ("a", None)), (above + 3, ("b", "2.5"))]
    assert grid.cells.height == above + 3


def test_polish_names_are_never_read_as_another_table_s_signs() -> None:
    from caseferry.reading.encoding import tell

    found = tell(Source.of(("Name;City\n" + "Jan;Łódź\n" * 3).encode("cp1250")))
    assert found.encoding == "cp1250" and found.assumed
