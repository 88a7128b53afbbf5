"""Columns that name a matter together: the number of the client, and that of the client's matter."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from caseferry.profiling.columns import Column
from caseferry.profiling.listed import Listed, Pair
from caseferry.profiling.words import words_in

_BETWEEN = ("-", "/", ".", "")
"""What may stand between the two where they are written as one; the first where they never are."""


@dataclass(frozen=True)
class Together:
    """Columns that make a field together.

    Args:
        between: what stands between them.
    """

    columns: tuple[Column, ...]
    between: str
    reason: str


def put_together(lists: Sequence[Listed], kinds: Sequence[str]) -> list[dict[str, Together]]:
    """Of each list, the fields that several of its columns make together: the number of a matter, where no column is one by itself."""
    found: list[dict[str, Together]] = [{} for _ in lists]
    for number, one in enumerate(lists):
        if kinds[number] != "matter":
            continue
        best, between, others = None, "-", dict[int, Pair]()
        for pair in (pair for pair in one.pairs if pair.is_key):
            pointing = {other: match for other, listed in enumerate(lists) if other != number and (match := _same(pair, listed)) is not None}
            marks = {mark for other, listed in enumerate(lists) if other != number for mark in _BETWEEN if _written(pair, listed, mark)}
            if len(pointing) + len(marks) > len(others):
                best, between, others = pair, next(iter(sorted(marks, key=_BETWEEN.index)), "-"), pointing
        if best is None:
            continue
        heads = f"{best.first.heading!r} and {best.second.heading!r}"
        found[number]["number"] = Together((best.first, best.second), between, f"{heads} are a key together, by themselves neither is; other lists have both")
        for other, match in others.items():
            if kinds[other] not in ("", "matter", "contact"):
                found[other]["matter"] = Together((match.first, match.second), between, f"together they are those of {heads} in {one.where}")
    return found


def _same(pair: Pair, listed: Listed) -> Pair | None:
    """The pair of another list that is called the same, and whose values are keys of the first."""
    called = [words_in(column.heading) for column in (pair.first, pair.second)]
    for other in listed.pairs:
        turned = Pair(other.second, other.first, other.is_key, other.keys.select(pl.col("b").alias("a"), pl.col("a").alias("b")))
        for match in (other, turned):
            there = match.keys.join(pair.keys, on=["a", "b"], how="semi").height
            if [words_in(column.heading) for column in (match.first, match.second)] == called and there >= 0.9 * max(1, match.keys.height):
                return match
    return None


def _written(pair: Pair, listed: Listed, between: str) -> bool:
    """True if a column of another list has nothing but such pairs, written as one."""
    whole = pair.keys.select(pl.concat_str("a", "b", separator=between).alias("k"))["k"]
    return any(column.keys.len() > 1 and column.is_mostly("codes", "whole numbers") and int(column.keys.is_in(whole.implode()).sum()) >= 0.9 * column.keys.len() for column in listed.columns)
