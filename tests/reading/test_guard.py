"""What a child may not do, and what becomes of a child that dies."""

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from caseferry.errors import ExportRefused
from caseferry.reading import guard
from caseferry.reading.guard import Answer, Asked, ask, ask_each, together
from config.limits import ReadingLimits

HERE = "tests.reading.hostile:"
SMALL = ReadingLimits(memory_bytes=1 << 30, seconds=60, answer_bytes=1 << 20)
HASTY = SMALL.model_copy(update={"seconds": 2})
"""For what never ends: anything else may need longer on a slow machine."""


def refused(work: str, data: bytes = b"x") -> ExportRefused:
    with pytest.raises(ExportRefused) as caught:
        ask(HERE + work, data, "a file", HASTY if work in {"sleep", "spin"} else SMALL)
    return caught.value


def test_bytes_go_in_and_come_out() -> None:
    for data in (b"", b"x", os.urandom(300_000)):
        answer = ask(HERE + "echo", data, "a file", SMALL)
        assert (answer.made, answer.blobs) == (len(data), [data])


def test_an_answer_may_be_written_over_another() -> None:
    answer = ask(HERE + "echo", b"", "a file", SMALL)
    for data in (os.urandom(300_000), b"short", b"", os.urandom(200_000)):
        answer = ask(HERE + "echo", data, "a file", SMALL, over=answer)
        assert (answer.made, answer.blobs) == (len(data), [data])


@pytest.mark.skipif(sys.platform != "linux", reason="the call filter is Linux's")
def test_a_reader_has_no_network_no_programs_no_files(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("untouched")
    with socket.create_server(("127.0.0.1", 0)) as server:
        tried = ask(HERE + "attempts", b"x", "a file", ReadingLimits(), outside=f"{target}:{server.getsockname()[1]}").made
    assert {name: outcome for name, outcome in tried.items() if outcome != "PermissionError"} == {}
    assert target.read_text() == "untouched" and [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("work", ["abort", "crash", "leave", "panic", "raise_cell"])
def test_a_reader_that_dies_is_one_refused_file(work: str) -> None:
    refusal = refused(work, b"CANARY")
    assert (refusal.code, refusal.where) == ("CF-123", "a file")
    assert "CANARY" not in repr(refusal.args)
    assert ask(HERE + "echo", b"next", "another", SMALL).made == 4


@pytest.mark.parametrize("work", ["sleep", "spin"])
def test_a_reader_that_hangs_is_ended_in_time(work: str) -> None:
    began = time.monotonic()
    assert "longer than 2 seconds" in refused(work).detail
    assert time.monotonic() - began < 60  # not the hour it would sleep


def test_a_reader_that_grows_or_talks_without_end_is_stopped() -> None:
    assert refused("grow").code == "CF-112"
    assert refused("talk").code == "CF-111"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk without room is Linux's to give")
@pytest.mark.parametrize(("work", "words"), [(f"{HERE}echo", {}), (f"{guard.WORKS}lists", {"kind": "delimited", "file": "a file"})])
@pytest.mark.parametrize("rows", [10, 90_000])
def test_a_disk_without_room_is_not_the_fault_of_a_file(monkeypatch: pytest.MonkeyPatch, work: str, words: dict[str, Any], rows: int) -> None:
    with guard.Handed(b"a,b\n" * rows) as handed:
        monkeypatch.setattr(guard, "_nameless", lambda _: os.open("/dev/full", os.O_RDWR))
        with pytest.raises(OSError) as caught:
            ask(work, handed, "a file", ReadingLimits(), **words)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("work", ["abort", "leave", "raise_cell", "talk", "grow"])
def test_files_that_share_a_reader_share_no_end(work: str) -> None:
    asked = [Asked(HERE + "echo", bytes([n]) * n, f"file {n}", {}) for n in range(7)]
    asked[2] = Asked(HERE + work, b"CANARY", "the bad one", {})
    asked[5] = Asked(HERE + "refuse", b"", "the refused one", {})
    answers = ask_each(asked, SMALL)
    assert [one.blobs for one in answers if isinstance(one, Answer)] == [[bytes([n]) * n] for n in (0, 1, 3, 4, 6)]
    bad = [one for one in answers if isinstance(one, ExportRefused)]
    assert [one.where for one in bad] == ["the bad one", "the refused one"]
    assert bad[1].code == "CF-130" and "CANARY" not in repr(bad[0].args)
    assert ask_each([], SMALL) == []


def test_long_files_are_read_alone_and_short_ones_are_spread() -> None:
    names = list("abcdefgh")
    assert together(names, [100] * 8, 2) == [list("abcd"), list("efgh")]
    assert together(names, [100, 2 << 20, 0, 0, 0, 2 << 20, 1, 1], 2) == [["a"], ["b"], ["c", "d", "e"], ["f"], ["g", "h"]]
    many = together([str(n) for n in range(64)], [1 << 20] * 64, 2)
    assert [len(group) for group in many] == [8] * 8
    assert together([], [], 2) == []


def test_readers_work_side_by_side_and_one_death_is_its_own() -> None:
    results: list[int] = []

    def read(n: int) -> None:
        results.append(ask(HERE + "echo", bytes(n), "a file", SMALL).made)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    refused("abort")
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(12))


def test_the_readers_own_process_may_be_killed_and_is_replaced() -> None:
    ask(HERE + "echo", b"x", "a file", SMALL)
    guard._known[0].process.kill()
    assert ask(HERE + "echo", b"xy", "a file", SMALL).made == 2


def test_nothing_is_left_behind() -> None:
    for work in ("abort", "sleep", "leave"):
        refused(work)
    parent = guard._known[0].process.pid
    left = subprocess.run(["ps", "--ppid", str(parent), "-o", "pid="], capture_output=True, text=True).stdout.split()
    assert left == []
    files = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        ask(HERE + "echo", b"x", "a file", SMALL)
        refused("leave")
    assert len(os.listdir("/proc/self/fd")) <= files
