import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.reading.delimited import cut, read_delimited, sniff
from caseferry.reading.encoding import decode, proven_utf8
from caseferry.reading.grid import from_columns, from_lists
from caseferry.reading.quick import quickly

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


PIECES = st.lists(st.sampled_from(["a", "é", " ", ",", ",", '"', '""', "\n", "\r\n", '"b"', '"c,d"', '"e\nf"', ",,", "12"]), max_size=25).map("".join)


@given(PIECES | st.text(alphabet='ab,"\n\r ;', max_size=40), st.sampled_from([1, 3, 7, 1 << 20]))
def test_the_quick_way_and_the_close_look_see_the_same_cells(text: str, piece: int) -> None:
    quick = quickly(text.encode(), ",", piece=piece)
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
    assert quickly(b'a,b\r\n"x, ""y""","1\n2"\r\n\r\n,z\r\n', ",") is not None
    assert quickly(b'a,b\n12" pipe,2\n', ",") is None
    assert quickly(b"a,b\n" + b"x,y\n" * 20_000 + b"1,2,3\n", ",") is not None


@given(ROWS, st.integers(1, 60))
def test_a_long_text_read_in_pieces_has_the_same_cells(rows: list[list[str]], piece: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerows(rows * 3)
    data = text.getvalue().encode()
    pieces, whole = quickly(data, ",", piece=piece), quickly(data, ",")
    assert (pieces is None) or (whole is not None and pieces.rows() == whole.rows() and pieces.columns == whole.columns)
    assert pieces is not None or whole is None or any(not any(cell.strip() for cell in row) for row in rows)


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8-sig")) | st.text(max_size=30).map(str.encode), st.integers(1, 9))
def test_what_is_proven_to_be_utf8_is_read_as_such(data: bytes, piece: int) -> None:
    name = proven_utf8(data, piece)
    try:
        decoded = decode(data)
    except UnicodeDecodeError:
        assert not name
        return
    assert name == (decoded.encoding if decoded.encoding in {"ascii", "utf-8", "utf-8-sig"} and not decoded.repaired else "")
    if name:
        assert data.decode(name) == decoded.text


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
        decoded = decode(names.encode(encoding))
        assert (decoded.text, decoded.encoding) == (names, encoding)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        assert decode(names.encode(encoding)).text == names
    for encoding in ("cp850", "mac_roman"):
        plain = names.replace("’", "'").replace("£", "L")
        assert decode(plain.encode(encoding)).text == plain
    assert decode("Łukasz Woźniak\nJiří Škoda\n".encode("cp1250")).text == "Łukasz Woźniak\nJiří Škoda\n"


def test_stray_old_bytes_in_a_utf8_file_are_read_and_counted() -> None:
    decoded = decode("é".encode() * 20 + b"caf\xe9 \x92 end")
    assert decoded.text.endswith("café ’ end")
    assert decoded.repaired == 2


def test_an_old_encoding_is_called_assumed() -> None:
    assert decode("café".encode("cp1252")).assumed
    assert not decode("café".encode()).assumed


@pytest.mark.parametrize("size", [200, 30_000])
def test_one_line_full_of_another_delimiter_does_not_decide(size: int) -> None:
    noise = '"' + "x,y;" * size + '"'
    assert sniff(f"A,B,C\n{noise},{noise},1\nx,y,2\n")[0] == ","
    assert sniff(f"A;B;C\n{noise};{noise};1\nx;y;2\n")[0] == ";"


def test_a_delimiter_of_several_bytes_is_read_too() -> None:
    assert read_delimited("sep=€\na€b\n1€2\n".encode()).cells.rows() == [(1, "a", "b"), (2, "1", "2")]


def test_a_cell_is_as_long_as_its_text_whichever_way_it_is_read() -> None:
    for text, long in (('"' + '""' * 6 + '",b\n', False), ('"' + "x" * 10 + '",b\n', False), ('"' + "x" * 11 + '",b\n', True)):
        assert (quickly(text.encode(), ",", 10) is None) is long
        assert bool(cut(text, ",", 10)[1]["field_too_long"]) is long
