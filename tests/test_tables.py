"""Tables come back as they were put away, whether in full or by number."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import polars as pl
import pytest

from caseferry import tables
from caseferry.coded import Coded
from caseferry.tables import arrow_of, by_number, read_tables, table_of, with_texts, write_cells, write_tables

_TABLE = pl.DataFrame({"row": range(300), "t": [f"text {n % 7}" if n % 5 else None for n in range(300)], "d": [Decimal(n) / 100 for n in range(300)]})


@pytest.mark.parametrize("most", [0, 50_000])
@pytest.mark.parametrize("table", [_TABLE, _TABLE.clear(), pl.concat([_TABLE, _TABLE])])
def test_a_table_comes_back_short_or_long(monkeypatch: pytest.MonkeyPatch, table: pl.DataFrame, most: int) -> None:
    monkeypatch.setattr(tables, "_STREAM", most)
    buffer = io.BytesIO()
    write_tables({"one": table, "other": _TABLE}, buffer)
    archive = read_tables(buffer.getvalue())
    assert archive.read("one.arrow").startswith(b"ARROW1") == (most == 0)
    for _ in range(2):
        assert table_of(archive, "one").equals(table) and table_of(archive, "one").schema == table.schema
        assert table_of(archive, "one", {"d", "no such", "row"}).equals(table.select("row", "d"))
        assert table_of(archive, "one", {"no such"}).width == 0


def test_tables_of_earlier_versions_are_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, write in (("old.parquet", _TABLE.write_parquet), ("later.arrow", _TABLE.write_ipc)):
            inside = io.BytesIO()
            write(inside)
            archive.writestr(name, inside.getvalue())
    found = read_tables(buffer.getvalue())
    for name in ("old", "later"):
        assert table_of(found, name).equals(_TABLE) and table_of(found, name, ["t"]).equals(_TABLE.select("t"))
    assert arrow_of(found.read("later.arrow")).equals(_TABLE)


_NAMES = ["plain", "x:a/b", "x:../..", "x:nul\x00in it", "x:ä ö", "x:" + "日" * 9_000, "date"]


@pytest.mark.parametrize("rows", [10, 6_000])
def test_a_long_table_lies_by_number_and_comes_back_in_full(rows: int) -> None:
    few = {name: pl.Series([f"{name} {n % 7}" if n % 5 else None for n in range(rows)]) for name in _NAMES}
    table = pl.DataFrame({"row": range(rows), **few, "own": [f"text {n}" for n in range(rows)], "nothing": pl.Series([None] * rows, dtype=pl.String)})
    days = Coded(pl.Series([n % 3 if n % 2 else None for n in range(rows)], dtype=pl.UInt32), pl.Series([date(2024, 1, 1), None, date(2024, 1, 3)]))
    table = table.with_columns(days.each(days.words).alias("day"))
    for are_cells in (True, False):
        buffer = io.BytesIO()
        if are_cells:
            write_cells(table, buffer)
        else:
            write_tables({"cells": table, "other": _TABLE}, buffer, {"day": days, "no such": days})
        archive = read_tables(buffer.getvalue())
        assert table_of(archive, "cells").equals(table) and table_of(archive, "cells").schema == table.schema
        for some in (["day", "plain"], ["own", "row"], list(_NAMES)):
            assert table_of(archive, "cells", some).equals(table.select(name for name in table.columns if name in some))
        numbers, texts = by_number(archive, "cells")
        assert (set(texts) >= set(_NAMES)) == (rows >= 5_000) and "own" not in texts
        assert with_texts(numbers, texts).equals(table)


def test_more_words_than_numbers_are_written_in_full() -> None:
    words = pl.Series([f"w{n}" for n in range((1 << 16) + 1)])
    table = pl.DataFrame({"t": words})
    buffer = io.BytesIO()
    write_tables({"one": table}, buffer, {"t": Coded(pl.int_range(words.len(), dtype=pl.UInt32, eager=True), words)})
    assert by_number(read_tables(buffer.getvalue()), "one")[1] == {} and table_of(read_tables(buffer.getvalue()), "one").equals(table)


def test_equal_tables_have_equal_bytes() -> None:
    def told() -> bytes:
        buffer = io.BytesIO()
        write_tables({"one": pl.DataFrame({"t": [f"{n % 900}" for n in range(20_000)]})}, buffer)
        return buffer.getvalue()

    assert told() == told()
