"""Equal things have equal bytes, and those of Python's own encoder."""

import enum
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseferry.canonical import to_json
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
