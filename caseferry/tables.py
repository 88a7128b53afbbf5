"""Tables as they lie in the bucket: several in one object, and what a column says again and again by number.

    <name>.arrow or <name>.parquet   the table; a column of text that says few things has numbers in their stead
    <name>/<column>.arrow            what they stand for, line by line
"""

import io
import zipfile
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import quote

import polars as pl

from caseferry.coded import Coded, coded_if_few

Texts = Mapping[str, Coded]
"""Columns by number, by their names."""
_STREAM = 50_000
"""Cells of a table that is written before it could be planned how."""
_LONG = 5_000
"""Rows from which it pays to write numbers."""
_SHORT_NAME = 200
"""Letters of an entry's name; an archive has room for some more."""


def write_tables(tables: Mapping[str, pl.DataFrame], to: Path | IO[bytes], texts: Texts | None = None) -> None:
    """Several tables as one object: an object costs a store as much as a thousand rows do.

    Args:
        texts: columns of the first table that are known by number. What stands in their place in the table is not looked at.
    """
    with zipfile.ZipFile(to, "w") as archive:
        add_tables(archive, tables, texts)


def add_tables(archive: zipfile.ZipFile, tables: Mapping[str, pl.DataFrame], texts: Texts | None = None) -> None:
    """As Arrow, to be asked for by `table_of`. It is written in half the time that parquet takes, which looks for what is said
    often. Short ones are streams, long ones files: Polars plans how a file is read and written, a quarter of a millisecond each,
    and then holds less of it.
    """
    for name, table in tables.items():
        table, words = _by_number(table, texts or {})
        _add(archive, f"{name}.arrow", table)
        for column, said in words.items():
            _add(archive, _place(name, column), said.to_frame("said"))
        texts = None


def write_cells(cells: pl.DataFrame, to: Path | IO[bytes]) -> None:
    """The cells of a list, as `cells`. Where there is much text that is said once, parquet is read in half the time.
    Nobody asks for statistics of its columns: they cost a quarter of the writing.
    """
    with zipfile.ZipFile(to, "w") as archive:
        if cells.height * cells.width < _STREAM:
            return add_tables(archive, {"cells": cells})
        cells, words = _by_number(cells, {})
        with archive.open(zipfile.ZipInfo("cells.parquet"), "w") as file:
            cells.write_parquet(file, compression="zstd", compression_level=1, statistics=False)
        for column, said in words.items():
            _add(archive, _place("cells", column), said.to_frame("said"))


def _by_number(table: pl.DataFrame, texts: Texts) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    """A table with numbers for the columns that say few things, and what those stand for."""
    texts = {name: text for name, text in texts.items() if name in table.columns}
    if table.height < _LONG:
        return with_texts(table, texts) if texts else table, {}
    columns, words = list[pl.Series](), dict[str, pl.Series]()
    for column in table.iter_columns():
        said = texts.get(column.name) or (coded_if_few(column) if column.dtype == pl.String else None)
        if said is not None and said.words.len() <= 1 << 16:
            column, words[column.name] = said.numbers.cast(pl.UInt8 if said.words.len() <= 1 << 8 else pl.UInt16).alias(column.name), said.words
        elif column.name in texts:
            column = texts[column.name].full(column.name)
        columns.append(column)
    return pl.DataFrame(columns), words


def _place(table: str, column: str) -> str:
    """A column may be called anything, at any length."""
    name = quote(column, safe="")
    return f"{table}/{name if len(name) < _SHORT_NAME else sha256(column.encode()).hexdigest()}.arrow"


def _add(archive: zipfile.ZipFile, name: str, table: pl.DataFrame) -> None:
    buffer = io.BytesIO()
    if table.height * table.width < _STREAM:
        table.write_ipc_stream(buffer, compression="zstd")
    else:
        table.write_ipc(buffer, compression="zstd")
    archive.writestr(zipfile.ZipInfo(name), buffer.getbuffer())


_EMPTY: dict[bytes, pl.DataFrame] = {}
"""Tables without rows by the bytes they were read from: half of all are, and reading one takes as long as a thousand rows."""
_SHORT, _MOST = 16_384, 500
"""Bytes of one that is looked for, and how many are kept."""


def read_tables(data: bytes | Path) -> zipfile.ZipFile:
    """What `write_tables` or `write_cells` wrote, to be asked for by `table_of`."""
    return zipfile.ZipFile(data if isinstance(data, Path) else io.BytesIO(data))


def table_of(archive: zipfile.ZipFile, name: str, columns: Collection[str] | None = None) -> pl.DataFrame:
    """One of several tables.

    Args:
        columns: which of them, as far as it has them; else all.
    """
    table, texts = by_number(archive, name, columns)
    return with_texts(table, texts) if texts else table


def cells_of(data: bytes | Path, columns: Collection[str] | None = None) -> pl.DataFrame:
    """What `write_cells` wrote.

    Args:
        columns: as `table_of`.
    """
    table, texts = cells_by_number(data, columns)
    return with_texts(table, texts) if texts else table


def cells_by_number(data: bytes | Path, columns: Collection[str] | None = None) -> tuple[pl.DataFrame, dict[str, Coded]]:
    """The same as it lies there, and the columns of it that are numbers."""
    if isinstance(data, bytes) and data.startswith(_PARQUET):  # of a run of an earlier version
        return (pl.read_parquet(data) if columns is None else _some_of(data, columns, is_parquet=True)), {}
    return by_number(read_tables(data), "cells", columns)


def with_texts(table: pl.DataFrame, texts: Texts) -> pl.DataFrame:
    """A table of numbers with what they stand for."""
    return pl.DataFrame([texts[column.name].full(column.name) if column.name in texts else column for column in table.iter_columns()])


def by_number(archive: zipfile.ZipFile, name: str, columns: Collection[str] | None = None) -> tuple[pl.DataFrame, dict[str, Coded]]:
    """One of several tables as it lies there, and the columns of it that are numbers.

    Args:
        columns: as `table_of`.
    """
    is_parquet = f"{name}.arrow" not in archive.NameToInfo  # cells, or results of a run of an earlier version
    told = archive.read(f"{name}.parquet" if is_parquet else f"{name}.arrow")
    if columns is not None:
        table = _some_of(told, columns, is_parquet)
    elif len(told) < _SHORT and told in _EMPTY:
        return _EMPTY[told], {}
    else:
        table = pl.read_parquet(io.BytesIO(told)) if is_parquet else arrow_of(told)
        if table.is_empty() and len(told) < _SHORT:
            if len(_EMPTY) >= _MOST:
                _EMPTY.clear()
            _EMPTY[told] = table
    numbered = {column: place for column in table.columns if (place := _place(name, column)) in archive.NameToInfo}
    return table, {column: Coded(table[column].cast(pl.UInt32), arrow_of(archive.read(words)).to_series()) for column, words in numbered.items()}


def _some_of(told: bytes, columns: Collection[str], is_parquet: bool) -> pl.DataFrame:
    """Some columns of a table, those it has; the others are not unpacked."""
    data = io.BytesIO(told)
    if is_parquet or told.startswith(_FILE):
        there = [one for one in (pl.read_parquet_schema(data) if is_parquet else pl.read_ipc_schema(data)) if one in columns]
        data.seek(0)
        return pl.read_parquet(data, columns=there) if is_parquet else pl.read_ipc(data, columns=there)
    head = 8 + int.from_bytes(told[4:8], "little")  # a stream begins with its schema, and that with its length
    there = [one for one in pl.read_ipc_stream(told[:head]).columns if one in columns]
    return pl.read_ipc_stream(data, columns=there) if there else pl.DataFrame()


def arrow_of(data: bytes) -> pl.DataFrame:
    """A table that was written as Arrow, as a stream or as a file."""
    return pl.read_ipc(data) if data.startswith(_FILE) else pl.read_ipc_stream(data)


_FILE, _PARQUET = b"ARROW1", b"PAR1"
"""How Arrow's files begin, and none of its streams; and how parquet does."""


def apart(table: pl.DataFrame) -> pl.DataFrame:
    """A few rows by themselves. Cut out of others they would hold on to all the text of those: a column of text is views
    into the text it was read as, however few of them are left."""
    if not any(kind.is_nested() for kind in table.dtypes):
        return table.select(pl.concat_str(name, pl.lit("")).alias(name) if kind == pl.String else name for name, kind in table.schema.items())
    return pl.DataFrame(table.to_dict(as_series=False), schema=table.schema)
