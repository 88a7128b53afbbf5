"""One way to write a thing down, so that equal things have equal bytes."""

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pydantic_core
from pydantic import BaseModel

if TYPE_CHECKING:
    import polars as pl


def to_json(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted, one trailing newline; models by alias, in JSON mode."""
    try:
        return pydantic_core.to_json(_in_order(value), indent=1) + b"\n"
    except (_WrittenOtherwise, pydantic_core.PydanticSerializationError, RecursionError):
        return _slowly(value)


class _WrittenOtherwise(Exception):
    """Somewhere in a value is something that the quick encoder writes in another way than Python's, or not at all."""


def _in_order(value: Any) -> Any:
    """The same with the keys of all its mappings sorted."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise _WrittenOtherwise
        return {key: _in_order(value[key]) for key in sorted(value)}
    if kind is list or kind is tuple:
        return [_in_order(one) for one in value]
    if kind is float and 1e-4 <= abs(value) < 1e15:
        return value
    if isinstance(value, BaseModel):
        return _in_order(value.model_dump(mode="json"))
    raise _WrittenOtherwise


def _slowly(value: Any) -> bytes:
    def encode(item: Any) -> Any:
        if isinstance(item, BaseModel):
            return item.model_dump(mode="json")
        raise TypeError(f"not JSON: {type(item).__name__}")

    text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, default=encode)
    return text.encode() + b"\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_tables(tables: Mapping[str, "pl.DataFrame"], to: Path | IO[bytes]) -> None:
    """Several tables as one object: an object costs a store as much as a thousand rows do."""
    with zipfile.ZipFile(to, "w") as archive:
        add_tables(archive, tables)


def add_tables(archive: zipfile.ZipFile, tables: Mapping[str, "pl.DataFrame"]) -> None:
    """`<name>.arrow` each, to be asked for by `table_of`. It is written in half the time that parquet takes, which looks for what is
    said often; where there is much text, as in the cells of a list, parquet is read in half the time. Short ones are streams of
    Arrow, long ones files: Polars plans how a file is read and written, a quarter of a millisecond each, and then holds less of it.
    """
    for name, table in tables.items():
        buffer = io.BytesIO()
        if table.height * table.width < _STREAM:
            table.write_ipc_stream(buffer, compression="zstd")
        else:
            table.write_ipc(buffer, compression="zstd")
        archive.writestr(zipfile.ZipInfo(f"{name}.arrow"), buffer.getvalue())


_STREAM = 50_000
"""Cells of a table that is written before it could be planned how."""
_EMPTY: dict[bytes, "pl.DataFrame"] = {}
"""Tables without rows by the bytes they were read from: half of all are, and reading one takes as long as a thousand rows."""
_SHORT, _MOST = 16_384, 500
"""Bytes of one that is looked for, and how many are kept."""


def read_tables(data: bytes) -> zipfile.ZipFile:
    """What `write_tables` wrote, to be asked for by `table_of`."""
    return zipfile.ZipFile(io.BytesIO(data))


def table_of(archive: zipfile.ZipFile, name: str, columns: Collection[str] | None = None) -> "pl.DataFrame":
    """One of several tables.

    Args:
        columns: which of them, as far as it has them; else all.
    """
    import polars as pl

    is_old = f"{name}.arrow" not in archive.NameToInfo  # a run of an earlier version
    told = archive.read(f"{name}.parquet" if is_old else f"{name}.arrow")
    if columns is not None:
        return _some_of(told, columns, is_old)
    if len(told) < _SHORT and told in _EMPTY:
        return _EMPTY[told]
    table = pl.read_parquet(io.BytesIO(told)) if is_old else arrow_of(told)
    if table.is_empty() and len(told) < _SHORT:
        if len(_EMPTY) >= _MOST:
            _EMPTY.clear()
        _EMPTY[told] = table
    return table


def _some_of(told: bytes, columns: Collection[str], is_old: bool) -> "pl.DataFrame":
    """Some columns of a table, those it has; the others are not unpacked."""
    import polars as pl

    data = io.BytesIO(told)
    if is_old or told.startswith(_FILE):
        there = [one for one in (pl.read_parquet_schema(data) if is_old else pl.read_ipc_schema(data)) if one in columns]
        data.seek(0)
        return pl.read_parquet(data, columns=there) if is_old else pl.read_ipc(data, columns=there)
    head = 8 + int.from_bytes(told[4:8], "little")  # a stream begins with its schema, and that with its length
    there = [one for one in pl.read_ipc_stream(told[:head]).columns if one in columns]
    return pl.read_ipc_stream(data, columns=there) if there else pl.DataFrame()


def arrow_of(data: bytes) -> "pl.DataFrame":
    """A table that was written as Arrow, as a stream or as a file."""
    import polars as pl

    return pl.read_ipc(data) if data.startswith(_FILE) else pl.read_ipc_stream(data)


_FILE = b"ARROW1"
"""How Arrow's files begin, and none of its streams."""


def apart(table: "pl.DataFrame") -> "pl.DataFrame":
    """A few rows by themselves. Cut out of others they would hold on to all the text of those: a column of text is views
    into the text it was read as, however few of them are left."""
    import polars as pl

    if not any(kind.is_nested() for kind in table.dtypes):
        return table.select(pl.concat_str(name, pl.lit("")).alias(name) if kind == pl.String else name for name, kind in table.schema.items())
    return pl.DataFrame(table.to_dict(as_series=False), schema=table.schema)


def write_table(table: "pl.DataFrame", to: Path | IO[bytes]) -> None:
    """A table as it lies in the bucket. Nobody asks for statistics of its columns: they cost a quarter of the writing."""
    table.write_parquet(to, compression="zstd", compression_level=1, statistics=False)
