"""The process that hands out readers: it has everything imported, touches no foreign byte itself, and forks one child
for each thing to read. A child that dies takes nothing with it.

It speaks with `caseferry.reading.guard` over one socket: a request comes with three open files (what to read, where to
answer, where the child's end is told), or a fourth by which it speaks while it is at work, and is confirmed with one byte.
"""

import ctypes
import errno
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

from caseferry.errors import ExportRefused
from caseferry.reading.sandbox import close_in
from caseferry.reading.source import Source


def serve(control: socket.socket) -> None:
    """Fork a child for each request until the other side is gone."""
    # What every child needs, imported once, and what takes long to load and many need.
    import defusedxml.ElementTree  # noqa: F401
    import python_calamine  # noqa: F401

    import caseferry.reading.works  # noqa: F401

    gc.freeze()  # a child that looks for garbage in there would come by a copy of it all

    ended: dict[int, int] = {}
    bell, ring = os.pipe()
    os.set_blocking(ring, False)
    os.set_blocking(bell, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    control.sendall(b"!")
    while True:
        ready, _, _ = select.select([control.fileno(), bell], [], [])
        if bell in ready:
            os.read(bell, 4096)
            _reap(ended)
        if control.fileno() in ready:
            head, files, _, _ = socket.recv_fds(control, 4, 4)
            if not head:
                return
            request = _exactly(control, struct.unpack("<I", head)[0])
            parent, child = os.getpid(), os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                control.close()
                for one in (bell, ring, *ended.values(), files[2]):
                    os.close(one)
                _be(parent, json.loads(request), *files[:2], *files[3:])
            for one in (*files[:2], *files[3:]):
                os.close(one)
            ended[child] = files[2]
            control.sendall(b"!")


def _reap(ended: dict[int, int]) -> None:
    while ended:
        try:
            child, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if child == 0:
            return
        report = ended.pop(child)
        with suppress(OSError):  # whoever asked may be gone
            os.write(report, struct.pack("<i", os.waitstatus_to_exitcode(status)))
        os.close(report)


def _exactly(control: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = control.recv(length - len(data))
        if not more:
            os._exit(0)
        data += more
    return data


_GENTLY = 10
"""How far a reader that may take its time lets others go first."""
_SMALL = 1 << 20
"""Bytes of a table that is written before it could be planned how."""
_WHEN_PARENT_ENDS = 1
_TOO_LONG, _NO_ROOM = 5, 6
"""The exit codes of one whose answer grew past its limit, and of one that found no room for it on the disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""What a system calls that: the disk is full, or our share of it."""
_BEHIND = "13"
"""The same of its session, where Linux shares the processors out among sessions first: behind whoever waits for it, also a
worker that is ten nice, and not so far that it would come near the time it has.
"""


def _be(parent: int, request: dict[str, Any], given: int, answer: int, talk: int = -1) -> None:
    """The child: close in, read, answer, end. Its exit code is 0 if there is an answer, whatever it says."""
    try:
        os.setsid()
        _end_with(parent)
        limits = request["limits"]
        if request.get("gently"):
            _let_others_go_first()
        close_in(limits["memory_bytes"], limits["seconds"], limits["answer_bytes"])
        blobs, source = _Blobs(answer), Source.at(given)
        value = _each(request["each"], source, blobs, limits) if "each" in request else _work(request["work"], source, blobs, limits, request["words"] | ({"talk": talk} if talk >= 0 else {}), request["unpacks"], flows=True)
        said = json.dumps({"value": value, "blobs": blobs.lengths}).encode()
        _write(answer, said + struct.pack("<Q", len(said)))
        os.ftruncate(answer, os.lseek(answer, 0, os.SEEK_CUR))  # an earlier answer may have been longer
        os._exit(0)
    except MemoryError:
        os._exit(3)
    except BaseException as error:  # a reader's panic is none of Python's ordinary exceptions
        os._exit(_NO_ROOM if _is_full(error) else 4)


def _is_full(error: BaseException) -> bool:
    """True if it came of a disk without room. Polars says so in words only."""
    return isinstance(error, OSError) and (error.errno in _FULL or any(f"(os error {number})" in str(error) for number in _FULL))


def _end_with(parent: int) -> None:
    """Whoever forked this child is to outlive it: another that takes its place has another child write the answer anew."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_WHEN_PARENT_ENDS, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(4)


def _let_others_go_first() -> None:
    os.nice(_GENTLY)
    with suppress(OSError), open("/proc/self/autogroup", "w") as group:
        group.write(_BEHIND)


class _Blobs:
    """The byte strings of the answer, one behind the other."""

    def __init__(self, answer: int) -> None:
        self._answer, self._length = answer, 0
        self._file = open(answer, "wb", buffering=0, closefd=False)  # noqa: SIM115  it ends with the process
        self.lengths: list[int] = []

    def write(self, data: bytes | memoryview) -> None:
        _write(self._answer, data)
        self._length += len(data)

    def table(self, table: Any) -> None:
        before = os.lseek(self._answer, 0, os.SEEK_CUR)
        try:
            if table.estimated_size() < _SMALL:
                table.write_ipc_stream(self._file)
            else:  # it writes to the file by itself: in memory it would be twice as long as the text it was
                table.write_ipc(self._file)
        except Exception:
            if os.fstat(self._answer).st_size >= resource.getrlimit(resource.RLIMIT_FSIZE)[0]:
                os._exit(_TOO_LONG)
            raise
        self._length += os.lseek(self._answer, 0, os.SEEK_CUR) - before
        self.end()

    def end(self) -> None:
        self.lengths.append(self._length)
        self._length = 0

    def close(self) -> None:
        """Call it the end of what was begun when a function gave up."""
        if self._length:
            self.end()


def _each(asked: list[Any], source: Source, blobs: _Blobs, limits: dict[str, Any]) -> list[dict[str, Any]]:
    """One answer after the other, each with how many byte strings it has."""
    said = []
    for work, start, stop, words, unpacks in asked:
        before = len(blobs.lengths)
        value = _work(work, source.part(start, stop), blobs, limits, words, unpacks)
        blobs.close()
        said.append({**value, "blobs": len(blobs.lengths) - before})
    return said


def _work(
    name: str, source: Source, blobs: _Blobs, limits: dict[str, Any], words: dict[str, Any], unpacks: list[Any] | None = None, flows: bool = False
) -> dict[str, Any]:  # fmt: skip
    import importlib

    from caseferry.reading.archive import Flowing, same_again

    module, function = name.split(":")
    found = getattr(importlib.import_module(module), function)
    try:
        if unpacks:
            source = Flowing(source, *unpacks) if flows else Source.of(b"".join(same_again(source, *unpacks)))
        made = found(source, limits=limits, blobs=blobs, **words)
        if isinstance(source, Flowing):
            source.run_dry()
        return {"made": made}
    except ExportRefused as refusal:
        return {"refused": [refusal.code, refusal.where, refusal.detail]}
    except UnicodeDecodeError:
        return {"refused": ["CF-107", "", "its mark promises an encoding that it breaks"]}


def _write(file: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(file, view) :]
        except OSError as error:
            os._exit(_NO_ROOM if error.errno in _FULL else _TOO_LONG)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
