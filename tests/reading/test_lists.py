"""A list is the same whether its file is read from end to end or in ranges, side by side."""

import csv
import io
import random
from typing import Any

import pytest

from caseferry.reading import lists
from caseferry.reading.grid import gathered
from caseferry.reading.guard import ask
from caseferry.reading.kinds import Kind
from caseferry.reading.lists import read_lists
from config.limits import ReadingLimits


def long_file(dice: random.Random, rows: int) -> str:
    text = io.StringIO(newline="")
    cells = ["a", "", "é", "x, y", 'say "so"', "two\nlines", "\"\n\"", "12.50", "two\r\nlines, quoted"]
    csv.writer(text, lineterminator="\r\n").writerows([dice.choice(cells) for _ in range(dice.randrange(1, 6))] for _ in range(rows))
    return "A,B,C,D,E\r\n" + text.getvalue()


def as_read(data: bytes) -> tuple[list[tuple[object, ...]], int, dict[str, int], dict[str, list[list[int]]], str]:
    (found,) = read_lists(data, Kind.DELIMITED, "long.csv", ReadingLimits(), 3)
    grid = gathered(found.pieces())
    assert found.height == grid.cells.height and found.head.width == grid.width
    assert found.head.cells.rows() == grid.cells.head(3).rows()
    return grid.cells.rows(), found.height, found.head.notes, found.head.places, found.head.encoding


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"sep=,\r\n"])
@pytest.mark.parametrize("size", [200, 1_000, 40_000])
def test_ranges_of_a_file_make_the_same_list(monkeypatch: pytest.MonkeyPatch, mark: bytes, size: int) -> None:
    data = mark + long_file(random.Random(size), 2_000).encode()
    whole = as_read(data)
    asked: list[dict[str, Any]] = []

    def watched(*given: Any, **words: Any) -> Any:
        asked.append(words)
        return ask(*given, **words)

    monkeypatch.setattr(lists, "ask", watched)
    monkeypatch.setattr(lists, "RANGE", size)
    assert as_read(data) == whole
    assert len([words for words in asked if "span" in words]) > 1 and len([words for words in asked if "encoding" in words]) == 0


@pytest.mark.parametrize("odd", ['12" pipe,x\r\n', '"never closed,1\r\n2,3\r\n', "lone\rreturn,1\r\n"])
def test_a_file_that_can_be_read_in_two_ways_is_read_from_end_to_end(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    text = long_file(random.Random(1), 1_000)
    data = (text + odd + "1,2\r\n" * 500 + text).encode()
    whole = as_read(data)
    monkeypatch.setattr(lists, "RANGE", 2_000)
    assert as_read(data) == whole


def test_an_old_encoding_is_read_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    data = long_file(random.Random(2), 500).encode("cp1252")
    whole = as_read(data)
    monkeypatch.setattr(lists, "RANGE", 1_000)
    assert as_read(data) == whole
