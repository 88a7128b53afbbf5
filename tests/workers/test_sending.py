"""Files on their way into the bucket: all there when the block is left, or the reason why not."""

import threading
from pathlib import Path
from typing import Any

import pytest

from caseferry.errors import PassingFault
from caseferry.services import store as stores
from caseferry.services.folder import FolderStore
from caseferry.services.store import Sending


def files(folder: Path, sizes: list[int]) -> list[Path]:
    made = [folder / str(number) for number in range(len(sizes))]
    for path, size in zip(made, sizes, strict=True):
        path.write_bytes(b"x" * size)
    return made


def test_everything_sent_is_there_when_the_block_is_left(tmp_path: Path) -> None:
    store, some = FolderStore(tmp_path / "bucket"), files(tmp_path, [3, 2 << 20, 0])
    with Sending(store) as sending:
        for path in some:
            sending.send(f"k/{path.name}", path)
        sending.send("k/made", lambda: some[0])
    assert [stat.size for stat in store.listing("k/")] == [3, 2 << 20, 0, 3]


def test_what_could_not_be_sent_is_told_and_what_broke_the_block_is_not_hidden(tmp_path: Path) -> None:
    class Away(FolderStore):
        def put_file(self, key: str, file: Any) -> bool:
            raise PassingFault("the object store does not answer")

    [path] = files(tmp_path, [3])
    with pytest.raises(PassingFault), Sending(Away(tmp_path / "a")) as sending:
        sending.send("k", path)
    with pytest.raises(KeyError), Sending(Away(tmp_path / "b")) as sending:
        sending.send("k", path)
        raise KeyError


def test_long_files_leave_room_for_others(tmp_path: Path) -> None:
    going, most, at = 0, 0, threading.Lock()

    class Slow(FolderStore):
        def put_file(self, key: str, file: Any) -> bool:
            nonlocal going, most
            with at:
                going += 1
                most = max(most, going)
            found = super().put_file(key, file)
            with at:
                going -= 1
            return found

    with Sending(Slow(tmp_path / "bucket")) as sending:
        for path in files(tmp_path, [(1 << 20) + 1] * 12):
            sending.send(f"k/{path.name}", path)
    assert most <= stores._LONG_AT_ONCE
