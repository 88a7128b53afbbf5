"""Equal things have equal bytes, and those of Python's own encoder; tables come back as they were put away."""

import enum
import io
import json
import zipfile
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry import canonical
from caseferry.canonical import arrow_of, read_tables, table_of, to_json, write_tables
from caseferry.model import Model

_LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))


@given(st.recursive(_LEAVES, lambda inside: st.lists(inside) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inside) | st.dictionaries(st.integers(), inside)))
def test_what_is_written_quickly_is_what_python_writes(value: Any) -> None:
    assert to_json(value) == json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1).encode() + b"\n"


class _Word(enum.StrEnum):
    ONE = "one"


class _Shown(Model):
    b: tuple[int, ...] = (1,)
    a: _Word = _Word.ONE


def test_models_and_words_stand_as_in_json() -> None:
    assert to_json({"x": _Shown(), "w": _Word.ONE}) == b'{\n "w": "one",\n "x": {\n  "a": "one",\n  "b": [\n   1\n  ]\n }\n}\n'


@pytest.mark.parametrize("value", [Decimal(1), {1, 2}, object(), b"x"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        to_json({"x": [value]})


@pytest.mark.parametrize("depth", [254, 255, 300, 900])
def test_what_is_nested_deep_is_written_too(depth: int) -> None:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    assert to_json(value) == json.dumps(value, indent=1).encode() + b"\n"


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        to_json({"x": "\ud800"})


_TABLE = pl.DataFrame({"row": range(300), "t": [f"text {n % 7}" if n % 5 else None for n in range(300)], "d": [Decimal(n) / 100 for n in range(300)]})


@pytest.mark.parametrize("most", [0, 50_000])
@pytest.mark.parametrize("table", [_TABLE, _TABLE.clear(), pl.concat([_TABLE, _TABLE])])
def test_a_table_comes_back_short_or_long(monkeypatch: pytest.MonkeyPatch, table: pl.DataFrame, most: int) -> None:
    monkeypatch.setattr(canonical, "_STREAM", most)
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
