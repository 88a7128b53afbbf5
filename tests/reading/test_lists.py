"""A list is the same whether its file is read from end to end or in ranges, side by side."""

import csv
import io
import random
from pathlib import Path
from typing import Any

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading import lists, ranged
from caseferry.reading.grid import gathered
from caseferry.reading.guard import ask
from caseferry.reading.kinds import Kind
from caseferry.reading.lists import read_lists
from caseferry.reading.ranged import Ahead, Surprise
from caseferry.reading.spooled import Spooled
from config.limits import ReadingLimits


def long_file(dice: random.Random, rows: int) -> str:
    text = io.StringIO(newline="")
    cells = ["a", "", "é", "x, y", 'say "so"', "two\nlines", "\"\n\"", "12.50", "two\r\nlines, quoted"]
    csv.writer(text, lineterminator="\r\n").writerows([dice.choice(cells) for _ in range(dice.randrange(1, 6))] for _ in range(rows))
    return "A,B,C,D,E\r\n" + text.getvalue()


AsRead = tuple[list[tuple[object, ...]], int, dict[str, int], dict[str, list[list[int]]], str]


def as_read(data: bytes) -> AsRead:
    (found,) = read_lists(data, Kind.DELIMITED, "long.csv", ReadingLimits(), 3)
    return told(found)


def told(found: Spooled) -> AsRead:
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

    for module in (lists, ranged):
        monkeypatch.setattr(module, "ask", watched)
    monkeypatch.setattr(ranged, "RANGE", size)
    assert as_read(data) == whole
    assert len([words for words in asked if "span" in words]) > 1 and len([words for words in asked if "encoding" in words]) == 0


@pytest.mark.parametrize("odd", ['12" pipe,x\r\n', '"never closed,1\r\n2,3\r\n', "lone\rreturn,1\r\n"])
def test_a_file_that_can_be_read_in_two_ways_is_read_from_end_to_end(monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    text = long_file(random.Random(1), 1_000)
    data = (text + odd + "1,2\r\n" * 500 + text).encode()
    whole = as_read(data)
    monkeypatch.setattr(ranged, "RANGE", 2_000)
    assert as_read(data) == whole


def test_an_old_encoding_is_read_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    data = long_file(random.Random(2), 500).encode("cp1252")
    whole = as_read(data)
    monkeypatch.setattr(ranged, "RANGE", 1_000)
    assert as_read(data) == whole


def test_a_long_list_is_looked_at_while_it_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data, path = long_file(random.Random(3), 2_000).encode(), tmp_path / "long.csv"
    path.write_bytes(data)
    whole = as_read(data)
    monkeypatch.setattr(ranged, "RANGE", 2_000)
    with Ahead() as ahead:
        (found,) = read_lists(path, Kind.DELIMITED, "long.csv", ReadingLimits(), 3, ahead=ahead)
        assert found.length > 0 and not found.ends_midway
        assert told(found) == told(found) == whole
        (settled,) = found.settled()
        assert told(settled) == whole


@pytest.mark.parametrize("odd", ['12" pipe,x\r\n', "1,2,3,4,5,6,7\r\n", "\ufffd,1\r\n"])
@pytest.mark.parametrize("is_last", [True, False])
def test_a_long_list_that_is_not_what_its_first_rows_promised_is_a_surprise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, odd: str, is_last: bool) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes((long_file(random.Random(4), 5_000) + odd + "1,2\r\n" * (0 if is_last else 2_000)).encode())
    whole = as_read(path.read_bytes())
    monkeypatch.setattr(ranged, "RANGE", 8_000)
    with Ahead() as ahead:
        (found,) = read_lists(path, Kind.DELIMITED, "long.csv", ReadingLimits(), 3, ahead=ahead)
        with pytest.raises(Surprise):
            list(found.pieces())
        with pytest.raises(Surprise):
            _ = found.height
        (settled,) = found.settled()
        assert told(settled) == whole


def test_a_long_list_that_breaks_off_is_a_surprise(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(("A,B,C\r\n" + "1,2,3\r\n" * 3_000 + "1,2").encode())
    monkeypatch.setattr(ranged, "RANGE", 2_000)
    with Ahead() as ahead:
        (found,) = read_lists(path, Kind.DELIMITED, "long.csv", ReadingLimits(), 3, ahead=ahead)
        with pytest.raises(Surprise):
            list(found.pieces())
        (settled,) = found.settled()
        assert settled.ends_midway and settled.height == 3_002


def test_a_reader_that_ends_in_a_later_range_is_told_when_all_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(long_file(random.Random(5), 2_000).encode())
    monkeypatch.setattr(ranged, "RANGE", 2_000)
    real = ranged.Ranges.read

    def read(self: ranged.Ranges, span: list[int], *rest: Any) -> Any:
        if span is self.spans[-1]:
            raise ExportRefused("CF-123", "long.csv", "its reader ended while opening it")
        return real(self, span, *rest)

    monkeypatch.setattr(ranged.Ranges, "read", read)
    with Ahead() as ahead:
        (found,) = read_lists(path, Kind.DELIMITED, "long.csv", ReadingLimits(), 3, ahead=ahead)
        with pytest.raises(Surprise):
            list(found.pieces())
        with pytest.raises(ExportRefused):
            found.settled()
