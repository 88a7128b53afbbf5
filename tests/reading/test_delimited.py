import csv
import io

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caseferry.reading.delimited import Delimited, cut, sniff
from caseferry.reading.encoding import tell, text_of, utf8
from caseferry.reading.grid import Grid, from_columns, from_lists, gathered
from caseferry.reading.quick import quickly
from caseferry.reading.source import Source

CELL = st.text(alphabet=st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), max_size=12)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=5), min_size=1, max_size=8)


@given(ROWS, st.sampled_from([",", ";", "\t", "|"]))
def test_what_a_csv_writer_wrote_is_read_to_the_letter(rows: list[list[str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows)
    values, broken = cut(text.getvalue(), delimiter)
    assert values.to_list() == rows
    assert not any(broken.values())


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_is_cut_without_losing_a_character(text: str) -> None:
    values, _ = cut(text, ",")  # raises if the pieces do not add up to the text
    assert values.len() <= text.count("\n") + text.count("\r") + 1


def read_delimited(data: bytes, piece: int = 8 << 20, field_bytes: int = 1 << 20) -> Grid:
    """All of a file, as one grid."""
    read = Delimited(Source.of(data), field_bytes=field_bytes, piece=piece)
    grid = gathered(read.pieces())
    assert grid.width == read.width
    return gathered([grid.cells], **read.facts)


PIECES = st.lists(st.sampled_from(["a", "é", " ", ",", ",", '"', '""', "\n", "\r\n", '"b"', '"c,d"', '"e\nf"', ",,", "12"]), max_size=25).map("".join)


@given(PIECES | st.text(alphabet='ab,"\n\r ;', max_size=40))
def test_the_quick_way_and_the_close_look_see_the_same_cells(text: str) -> None:
    quick = quickly(text.encode(), ",", 1) if text else None
    values, odd = cut(text, ",")
    close = from_lists(values).cells
    if quick is not None:
        found = from_columns(quick).cells
        wider = found.drop(close.columns, strict=False)
        assert all(column.is_null().all() for column in wider)
        narrower = close.drop(found.columns, strict=False)
        assert all(column.is_null().all() for column in narrower)
        both = [name for name in found.columns if name in close.columns]
        assert found.select(both).rows() == close.select(both).rows()
        assert not any(odd.values())


def test_the_quick_way_is_taken_where_nothing_is_odd() -> None:
    assert quickly(b'a,b\r\n"x, ""y""","1\n2"\r\n\r\n,z\r\n', ",", 2) is not None
    assert quickly(b'a,b\n12" pipe,2\n', ",", 2) is None
    assert quickly(b"a,b\n" + b"x,y\n" * 20_000 + b"1,2,3\n", ",", 2) is not None


def test_a_text_that_begins_like_something_packed_is_text() -> None:
    seconds = [chr(code) for code in (*range(1, 128), *range(0x400, 0x7C0, 37)) if chr(code) not in '\r\n",']
    heads = [*(f"x{second}" for second in seconds), "\ufeff", "\ufeffx^", "\x1f", "(", "BZh9", "PK\x03\x04", "\x04\"M\x18"]
    for head in heads:
        data = (f"{head}abc,matter,note\n" + "".join(f"{number},m{number},some words\n" for number in range(60))).encode()
        for piece in (8 << 20, 64):
            cells = pl.concat(list(Delimited(Source.of(data), piece=piece).pieces()))
            assert cells["c0"][0] == f"{head}abc".removeprefix("\ufeff"), head
            assert cells.height == 61 and cells["c2"].to_list() == ["note", *["some words"] * 60], head
    middle = b"a,b\n" + b"1,2\n" * 40 + b"x^abc,c\n" + b"3,4\n" * 40
    for piece in range(1, len(middle) + 1):
        assert pl.concat(list(Delimited(Source.of(middle), piece=piece).pieces())).height == 82


@given(PIECES | st.text(alphabet='ab,"\n\r ;', max_size=60), st.integers(1, 30))
def test_a_text_read_in_pieces_has_the_same_cells(text: str, piece: int) -> None:
    pieces, whole = read_delimited(("x,y\n" + text).encode(), piece), read_delimited(("x,y\n" + text).encode())
    assert _filled(pieces) == _filled(whole) and (pieces.notes, pieces.places) == (whole.notes, whole.places)


def _filled(grid: Grid) -> list[dict[str, str]]:
    """The cells that are not empty: a column of nothing else may be there or not."""
    return [{name: cell for name, cell in row.items() if cell is not None} for row in grid.cells.rows(named=True)]


@example([["", "", "0"], ["", "\t"]], 1)
@example([["", "\t"], ["\t", "0"]], 1)
@example([["", ""], ["", "\t", "\n"]], 1)
@given(ROWS, st.integers(1, 60))
def test_what_a_csv_writer_wrote_is_proven_piece_by_piece(rows: list[list[str]], piece: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows * 3)
    read = Delimited(Source.of(text.getvalue().encode()), piece=piece)
    found = gathered(read.pieces())
    width = max(map(len, rows))
    assert [[(cell or "").strip() for cell in row[1:]] for row in found.cells.rows()] == [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in rows * 3]
    assert found.width == width


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8-sig")) | st.text(max_size=30).map(str.encode), st.integers(1, 9))
def test_what_is_proven_to_be_utf8_is_read_as_such(data: bytes, piece: int) -> None:
    written = tell(Source.of(data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        assert not written.is_proven
        return
    if written.is_proven:
        assert text_of(Source.of(data)) == text
    else:
        assert written.encoding.startswith("utf-")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "cp1252"])
@given(st.text(alphabet='aé£,"\n\r', min_size=4, max_size=40), st.integers(1, 9))
def test_every_encoding_is_read_in_pieces_as_it_is_as_a_whole(encoding: str, text: str, piece: int) -> None:
    data = ("Name,City\n" + text).encode(encoding)
    written = tell(Source.of(data))
    assert b"".join(utf8(Source.of(data), written, piece)) == b"".join(utf8(Source.of(data), written))


def test_a_quote_that_never_closes_swallows_no_rows() -> None:
    grid = read_delimited(b'a,b\n1,"open\n2,x\n3,y\n')
    assert grid.cells.height == 4
    assert grid.notes["broken_quoting"] == 1


def test_an_inch_mark_inside_a_cell_is_a_character() -> None:
    grid = read_delimited(b'a,b\n1,12" pipe\n2,x\n')
    assert grid.cells["c1"].to_list() == ["b", '12" pipe', "x"]
    assert "broken_quoting" not in grid.notes


def test_short_and_long_rows_keep_every_cell() -> None:
    grid = read_delimited(b"a,b,c\n1\n1,2,3,4\n")
    assert grid.cells.rows() == [(1, "a", "b", "c", None), (2, "1", None, None, None), (3, "1", "2", "3", "4")]


def test_blank_lines_keep_their_number() -> None:
    assert read_delimited(b"a,b\n\n1,2\n").cells["row"].to_list() == [1, 2, 3]


def test_the_separator_line_is_not_data() -> None:
    assert sniff("sep=;\r\na;b\r\n") == (";", "a;b\r\n")


def test_encodings_are_told_and_said() -> None:
    names = "Name,City\nRenée Müller,Nîmes\nO’Brien,£5\nJosé Peña,Córdoba\n"
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        source = Source.of(names.encode(encoding))
        assert (text_of(source), tell(source).encoding) == (names, encoding)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert text_of(Source.of(names.encode(encoding))) == names
    for encoding in ("cp850", "mac_roman"):
        plain = names.replace("’", "'").replace("£", "L")
        assert text_of(Source.of(plain.encode(encoding))) == plain
    assert text_of(Source.of("Łukasz Woźniak\nJiří Škoda\n".encode("cp1250"))) == "Łukasz Woźniak\nJiří Škoda\n"


def test_stray_old_bytes_in_a_utf8_file_are_read_and_counted() -> None:
    source = Source.of("é".encode() * 20 + b"caf\xe9 \x92 end")
    assert text_of(source).endswith("café ’ end")
    assert tell(source).repaired == 2


def test_an_old_encoding_is_called_assumed() -> None:
    assert tell(Source.of("café".encode("cp1252"))).assumed
    assert not tell(Source.of("café".encode())).assumed


@pytest.mark.parametrize("size", [200, 30_000])
def test_one_line_full_of_another_delimiter_does_not_decide(size: int) -> None:
    noise = '"' + "x,y;" * size + '"'
    assert sniff(f"A,B,C\n{noise},{noise},1\nx,y,2\n")[0] == ","
    assert sniff(f"A;B;C\n{noise};{noise};1\nx;y;2\n")[0] == ";"


def test_a_delimiter_of_several_bytes_is_read_too() -> None:
    assert read_delimited("sep=€\na€b\n1€2\n".encode()).cells.rows() == [(1, "a", "b"), (2, "1", "2")]


def test_a_cell_is_as_long_as_its_text_whichever_way_it_is_read() -> None:
    for text, long in (('"' + '""' * 6 + '",b\n', False), ('"' + "x" * 10 + '",b\n', False), ('"' + "x" * 11 + '",b\n', True)):
        assert (quickly(text.encode(), ",", 2, 10) is None) is long
        assert bool(cut(text, ",", 10)[1]["field_too_long"]) is long


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_mark_is_no_text_even_where_a_person_named_the_encoding(encoding: str) -> None:
    read = Delimited(Source.of("\ufeffName,Email\na,b\n".encode(encoding)), encoding)
    assert gathered(read.pieces()).cells.row(0)[1:] == ("Name", "Email")
