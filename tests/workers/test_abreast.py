"""The longest first, and the answers in their order."""

import time

import pytest

from caseferry.abreast import abreast


def test_the_longest_begins_first_and_what_comes_of_each_stands_in_its_place() -> None:
    begun: list[str] = []

    def do(name: str) -> str:
        begun.append(name)
        return name.upper()

    assert abreast(do, ["a", "bbb", "cc"], [1, 3, 2], 1) == ["A", "BBB", "CC"]
    assert begun == ["bbb", "cc", "a"]
    assert abreast(do, [], [], 2) == []


def test_where_one_fails_none_is_begun_from_then_on_and_nothing_is_left_at_work() -> None:
    begun: list[int] = []
    ended: list[int] = []

    def do(number: int) -> int:
        begun.append(number)
        if number == 0:
            raise ValueError("first")
        time.sleep(0.01)
        ended.append(number)
        return number

    with pytest.raises(ValueError, match="first"):
        abreast(do, list(range(500)), [500 - number for number in range(500)], 2)
    assert len(begun) < 250
    assert sorted(ended) == sorted(begun)[1:]
