"""A worker is deaf when messages wait, it has nothing in hand and takes none: not before, and not for anything less."""

import pytest

from workers.hearing import Hearing


@pytest.mark.parametrize(("waits", "takes", "busy", "expected"), [
    ([1] * 20, [0] * 20, [False] * 20, 10),
    ([0] * 20, [0] * 20, [False] * 20, None),
    ([5] * 20, range(20), [False] * 20, None),
    ([5] * 20, [0] * 20, [True] * 20, None),
    ([5] * 9 + [0] + [5] * 9, [0] * 19, [False] * 19, None),
    ([5] * 30, [0] * 9 + [1] * 21, [False] * 30, 19),
], ids=["deaf", "nothing waits", "takes some", "busy", "others took all", "took one meanwhile"])  # fmt: skip
def test_a_worker_is_deaf_after_looking_so_at_each_of_several_looks(waits: list[int], takes: list[int], busy: list[bool], expected: int | None) -> None:
    now = iter(range(len(waits)))
    at = [0]
    hearing = Hearing(lambda: waits[at[0]], lambda: takes[at[0]], lambda: busy[at[0]])

    def look(number: int) -> bool:
        at[0] = number
        return hearing.is_deaf()

    assert next((number for number in now if look(number)), None) == expected
