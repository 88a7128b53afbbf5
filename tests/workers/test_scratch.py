"""What waits on disk has no name, and is gone with whoever wrote it."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from caseferry.services.folder import FolderStore
from caseferry.services.scratch import Scratch

_WRITER = """
import sys
from caseferry.services.scratch import Scratch
scratch = Scratch()
path = scratch.file()
path.write_bytes(b"a client's name" * 1000)
print(len(path.read_bytes()), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a nameless file can't be opened again")
def test_a_process_that_is_killed_leaves_nothing_on_disk(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"TMPDIR": str(tmp_path)}) as writer:
        assert writer.stdout is not None and int(writer.stdout.readline()) == 15_000
        assert list(tmp_path.rglob("*")) == []
        writer.kill()
    assert list(tmp_path.rglob("*")) == []


def test_there_may_be_more_of_them_than_a_shell_lets_a_program_open() -> None:
    many = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, 1000))\n"
        "from caseferry.services.scratch import Scratch\n"
        "with Scratch() as scratch: print(len({scratch.file() for _ in range(300)}))"
    )
    said = subprocess.run([sys.executable, "-c", many], capture_output=True, text=True, check=True).stdout
    assert int(said) == 300


def test_an_object_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, named = FolderStore(tmp_path), list[bytes]()
    monkeypatch.setattr(os, "fsync", lambda _: named.append(store.get("k") if store.stat("k") else b""))
    for data in (b"1", b"2"):
        store.put("k", data)
    assert store.put_once("l", b"3") and named == [b"", b"1", b"2"]


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_a_file_is_written_grown_read_and_put_like_any_other(system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseferry.services.scratch.sys.platform", system)
    store = FolderStore(tmp_path / "bucket")
    with Scratch() as scratch:
        one, two = scratch.file(), scratch.file()
        for text in (b"a", b"b"):
            with one.open("ab") as out:
                out.write(text)
        pl.DataFrame({"n": [1, 2]}).write_ipc(two)
        assert one.read_bytes() == b"ab" and pl.read_ipc(two)["n"].to_list() == [1, 2]
        assert store.put_file("k", one) and not store.put_file("k", two)
    assert store.get("k") == b"ab" and not one.exists()
