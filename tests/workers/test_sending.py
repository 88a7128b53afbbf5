"""Files on their way into the bucket: all there when the block is left, or the reason why not."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from caseferry.errors import PassingFault
from caseferry.services import store as stores
from caseferry.services.folder import FolderStore
from caseferry.services.scratch import Scratch
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


class _Stopped(BaseException):
    """What a worker raises in the middle of anything when a step takes too long."""


def test_nothing_is_sent_any_more_once_the_block_is_left_even_by_an_interruption_while_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    going, go_on = threading.Event(), threading.Event()

    class Slow(FolderStore):
        def put_file(self, key: str, file: Any) -> bool:
            going.set()
            go_on.wait(10)
            return super().put_file(key, file)

    def interrupted(*_: object, **__: object) -> Any:
        going.wait(10)
        threading.Timer(0.2, go_on.set).start()
        raise _Stopped

    store, mine = Slow(tmp_path / "bucket"), b"of one firm"
    with pytest.raises(_Stopped), Scratch() as scratch:
        sending = Sending(store)
        with sending:
            for number in range(40):
                path = scratch.file()
                path.write_bytes(mine)
                sending.send(f"k/{number}", path)
            monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    monkeypatch.undo()
    with Scratch() as scratch:  # another firm's files take the numbers of those
        for _ in range(80):
            scratch.file().write_bytes(b"of another firm")
        assert 0 < len(there := list(store.listing("k/"))) < 40
        assert all(store.get(stat.key) == mine for stat in there)


def test_waiting_for_rest_is_not_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, done = ThreadPoolExecutor(1), threading.Event()

    def work() -> None:
        time.sleep(0.3)
        done.set()

    pool.submit(work)
    real, tries = pool.shutdown, []

    def shutdown(**words: Any) -> None:
        tries.append(words)
        if len(tries) == 1:
            raise _Stopped
        real(**words)

    monkeypatch.setattr(pool, "shutdown", shutdown)
    with pytest.raises(_Stopped):
        stores.at_rest(pool)
    assert done.is_set()


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
