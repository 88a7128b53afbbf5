"""One object out of several that lie there: what is copied, what has to be fetched, and that it is the whole in the end."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caseferry.services import s3join
from caseferry.services.folder import FolderStore
from caseferry.services.s3join import LEAST, Stretch, laid_behind

SIZES = st.lists(st.one_of(st.integers(1, 60), st.integers(LEAST - 30, LEAST + 30), st.integers(1, 4 * LEAST)), max_size=12)


@settings(deadline=None)
@given(st.integers(0, 200), SIZES, st.integers(2 * LEAST, 5 * LEAST))
def test_parts_are_the_whole_in_order_and_none_but_the_last_is_too_short(head: int, sizes: list[int], most: int) -> None:
    rest = [(f"k{number}", size) for number, size in enumerate(sizes)]
    parts = list(laid_behind(b"h" * head, rest, most))
    lengths = [sum(len(one) if isinstance(one, bytes) else one.length for one in part) for part in parts]
    assert all(LEAST <= length <= most for length in lengths[:-1]) and all(0 < length <= most for length in lengths[-1:])
    flat = [one for part in parts for one in part]
    assert b"".join(one for one in flat if isinstance(one, bytes)) == b"h" * head and (not head or isinstance(flat[0], bytes))
    stretches = [one for one in flat if isinstance(one, Stretch)]
    begun = dict.fromkeys((key for key, _ in rest), 0)
    for one in stretches:
        assert one.start == begun[one.key] and one.length > 0
        begun[one.key] += one.length
    assert begun == dict(rest) and [one.key for one in stretches] == sorted((one.key for one in stretches), key=lambda key: int(key[1:]))


def test_what_is_long_is_copied_and_never_fetched() -> None:
    parts = list(laid_behind(b"head", [("a", 3 * LEAST), ("b", 2 * LEAST), ("c", 10)], 100 * LEAST))
    fetched = [one for part in parts if len(part) > 1 for one in part if isinstance(one, Stretch)]
    assert sum(one.length for one in fetched) < LEAST and [part[0] for part in parts[1:]] == [Stretch("a", LEAST - 4, 2 * LEAST + 4), Stretch("b", 0, 2 * LEAST), Stretch("c", 0, 10)]


def test_a_folder_joins_once_and_nothing_of_what_is_not_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"1234")
    store.put("b", b"567")
    assert store.join("whole", b"0", [("a", 4), ("b", 3)]) and store.get("whole") == b"01234567"
    assert not store.join("whole", b"", [("b", 3)]) and store.get("whole") == b"01234567"
    for rest in ([("a", 4), ("c", 1)], [("a", 5)]):
        with pytest.raises(KeyError):
            store.join("other", b"", rest)
    assert store.stat("other") is None and s3join.LEAST == 5 << 20
