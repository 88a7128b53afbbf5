"""Tables come back as they were put away, whether in full or by number."""

import io
import zipfile
from decimal import Decimal

import polars as pl
import pytest

from caseferry import tables
from caseferry.tables import arrow_of, read_tables, table_of, write_tables

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
