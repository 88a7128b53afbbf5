"""The door foreign bytes go through: whatever parses them runs in a process of its own that can only answer or die.

    ask("caseferry.reading.works:lists", data, name, limits, kind="workbook")

A child that crashes, hangs, grows or talks too much is one refused file with a reason. The worker never notices.
"""

import errno
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from caseferry.errors import ExportRefused, PassingFault, StorageRefused
from caseferry.services.scratch import Span
from config.limits import ReadingLimits

T = TypeVar("T")
_ROOT = Path(__file__).parents[2]
_START = "import sys; sys.path.insert(0, sys.argv[2]); import socket; from caseferry.reading.child import serve; serve(socket.socket(fileno=int(sys.argv[1])))"
WORKS = "caseferry.reading.works:"
_LARGE = 64 << 20
"""Bytes from which on a file without a name lies on disk, not in memory."""
_NO_ROOM = 6
"""How a child ends that found no room on the disk."""


class Answer:
    """What a child made of foreign bytes: a value, and byte strings that stay where it put them until they are asked for."""

    def __init__(self, made: Any, file: BinaryIO, spans: list[tuple[int, int]]) -> None:
        self.made, self._file, self._spans = made, file, spans

    def __len__(self) -> int:
        return len(self._spans)

    def blob(self, number: int) -> Span:
        return Span(self._file, *self._spans[number])

    def given_up(self) -> BinaryIO:
        """Its file, for another answer to be written over this one."""
        with self._file:
            return os.fdopen(os.dup(self._file.fileno()), "r+b")

    @property
    def blobs(self) -> list[bytes]:
        return [self.blob(number).read() for number in range(len(self))]


class Handed:
    """Foreign bytes in a file without a name, to be asked about several times."""

    def __init__(self, data: bytes | Path) -> None:
        if isinstance(data, Path):
            self.file = os.open(data, os.O_RDONLY)
            return
        self.file = _nameless(len(data))
        with os.fdopen(os.dup(self.file), "wb") as out:
            out.write(data)

    @property
    def size(self) -> int:
        return os.fstat(self.file).st_size

    def __enter__(self) -> "Handed":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)


def ask(
    work: str, data: bytes | Path | Handed, name: str, limits: ReadingLimits, is_large: bool = False, into: Path | None = None, gently: bool = False,
    over: Answer | None = None, unpacks: "Unpacks | None" = None, talk: int = -1, **words: object,
) -> Answer:  # fmt: skip
    """What a function makes of foreign bytes, in a child.

    Args:
        work: `module:function`. It is called with the bytes as a `Source`, `limits` as a mapping, `blobs`, and the words;
            it returns what JSON can hold, and writes any number of byte strings to `blobs`.
        data: bytes, or a file of ours that holds them.
        name: the file's name, for the refusal alone.
        is_large: the answer will not do in memory.
        into: a file of ours that is to hold the answer's byte strings, one behind the other, and nothing else.
        gently: others go first; only for what takes far less than the time that is allowed.
        over: an answer that nobody asks any more. This one is written over it: what a computer has at hand takes a tenth of the
            time to fill that it takes to find more.
        unpacks: how the bytes are unpacked while the function reads them, once and from their beginning on.
        talk: the number of an open pipe, by which the function may say something while it is at work; it is given its own as `talk`.

    Raises:
        ExportRefused: the function refused, or its process ended. Says which limit it met, as far as that can be told.
        StorageRefused: the bytes are not those that were stored.
        PassingFault: no child could be had.
        OSError: the disk has no room for its answer.
    """
    if not isinstance(data, Handed):
        with Handed(data) as handed:
            return ask(work, handed, name, limits, is_large, into, gently, over, unpacks, talk, **words)
    whither = over.given_up() if over is not None else into.open("r+b") if into else None
    told, answer = _told({"work": work, "words": words, "gently": gently, "unpacks": unpacks}, data, name, limits, is_large, whither, talk)
    if into is not None:
        answer.truncate(sum(length for _, length in told.spans))
    return _answer(told.value, name, answer, told.spans)


class Unpacks(NamedTuple):
    """How bytes are unpacked before they are read, and what they must be then."""

    method: int
    size: int
    sha256: str


@dataclass(frozen=True)
class Asked:
    """What is wanted of one of several small files."""

    work: str
    data: bytes
    name: str
    words: Mapping[str, object]
    unpacks: Unpacks | None = None
    """None where the data is the file as it is."""


def ask_each(asked: Sequence[Asked], limits: ReadingLimits) -> list[Answer | ExportRefused]:
    """`ask` for several small files in one child; where it ends in the middle, for each half in one of its own, so that no
    file costs another. A child for each would take longer to be born than to read.

    Raises:
        PassingFault: no child could be had.
        OSError: the disk has no room for their answer.
        StorageRefused: a file is not the one that was stored.
    """
    if not asked:
        return []
    ends = list(accumulate(len(one.data) for one in asked))
    each = [[one.work, end - len(one.data), end, dict(one.words), one.unpacks] for one, end in zip(asked, ends, strict=True)]
    try:
        with Handed(b"".join(one.data for one in asked)) as handed:
            told, answer = _told({"each": each}, handed, asked[0].name, limits)
    except ExportRefused as refusal:
        if len(asked) == 1:
            return [refusal]
        middle = len(asked) // 2
        return ask_each(asked[:middle], limits) + ask_each(asked[middle:], limits)
    found: list[Answer | ExportRefused] = []
    first = 0
    for one, said in zip(asked, told.value, strict=True):
        spans = told.spans[first : first + said["blobs"]]
        first += said["blobs"]
        try:
            found.append(_answer(said, one.name, answer, spans))
        except ExportRefused as refusal:
            found.append(refusal)
    return found


SMALL, _TOGETHER = 1 << 20, 8 << 20
"""Bytes up to which a file shares its reader, and of all that share one."""


def together(files: Sequence[T], sizes: Sequence[int], readers: int) -> list[list[T]]:
    """Files in their order, those that one child should read together: a long one is alone, small ones are spread over the readers.

    Args:
        sizes: of each, in bytes.
        readers: how many are at work side by side.
    """
    share = min(_TOGETHER, -(-sum(max(1, size) for size in sizes if size <= SMALL) // readers))
    groups: list[list[T]] = []
    room = 0
    for file, size in zip(files, sizes, strict=True):
        if size > SMALL:
            groups.append([file])
            room = 0
            continue
        if room <= 0:
            groups.append([])
            room = share
        groups[-1].append(file)
        room -= max(1, size)
    return groups


def _answer(said: dict[str, Any], name: str, file: BinaryIO, spans: list[tuple[int, int]]) -> Answer:
    if "refused" in said:
        refused, where, detail = said["refused"]
        if refused == "CF-145":
            raise StorageRefused(refused, "GetObject")
        raise ExportRefused(refused, where or name, detail)
    return Answer(said["made"], file, spans)


class _Told(NamedTuple):
    value: Any
    spans: list[tuple[int, int]]


def _told(request: dict[str, Any], data: Handed, name: str, limits: ReadingLimits, is_large: bool = False, answer: BinaryIO | None = None, talk: int = -1) -> tuple[_Told, BinaryIO]:
    """What a child says to a request, and the file its byte strings lie in."""
    answer = answer or os.fdopen(_nameless(_LARGE if is_large else data.size), "r+b")
    try:
        request["limits"] = limits.model_dump()
        try:
            code = _run(request, data, answer, limits, talk)
        except PassingFault:  # the process that forks them was ended by somebody: another takes its place
            if talk >= 0:  # what was said already would be said again
                raise
            code = _run(request, data, answer, limits)
        if code == _NO_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if code != 0:
            raise ExportRefused(*_why(code, name, limits))
        return _read(answer), answer
    except BaseException:
        answer.close()
        raise


def _run(request: dict[str, Any], data: Handed, answer: BinaryIO, limits: ReadingLimits, talk: int = -1) -> int:
    files = (data.file, answer.fileno(), *([talk] if talk >= 0 else ()))
    return _reader().run(request, files, limits.seconds)


def _why(code: int, name: str, limits: ReadingLimits) -> tuple[str, str, str]:
    if code in {-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGVTALRM}:
        return "CF-123", name, f"reading it took longer than {limits.seconds} seconds"
    if code == 3:
        return "CF-112", name, f"reading it takes more than {limits.memory_bytes} bytes of memory"
    if code in {5, -signal.SIGXFSZ}:
        return "CF-111", name, f"it unpacks to more than {limits.answer_bytes} bytes"
    return "CF-123", name, "its reader ended while opening it"


def _read(file: BinaryIO) -> _Told:
    """What was said, and where each byte string begins and how long it is."""
    end = file.seek(-8, os.SEEK_END)
    (length,) = struct.unpack("<Q", file.read(8))
    file.seek(end - length)
    said = json.loads(file.read(length))
    spans, at = [], 0
    for one in said["blobs"]:
        spans.append((at, one))
        at += one
    return _Told(said["value"], spans)


def _nameless(size: int) -> int:
    """A file that exists only as long as somebody has it open."""
    if size < _LARGE and hasattr(os, "memfd_create"):
        return os.memfd_create("caseferry")
    handle, path = tempfile.mkstemp()
    os.unlink(path)
    return handle


class _Reader:
    """The process that forks the children, and the socket to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.owner, self.lock, self.socket = os.getpid(), threading.Lock(), ours
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(theirs.fileno()), str(_ROOT)], pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"POLARS_MAX_THREADS": "1"}, start_new_session=True,
            )  # fmt: skip
        self.is_ready = False

    def run(self, request: dict[str, Any], files: Sequence[int], seconds: int) -> int:
        """Have a child do it; return its exit code, negative for a signal."""
        report, told = os.pipe()
        try:
            body = json.dumps(request).encode()
            with self.lock:
                self._confirm()
                os.lseek(files[1], 0, os.SEEK_SET)  # a child writes on from where another ended, and no other is left by now
                socket.send_fds(self.socket, [struct.pack("<I", len(body))], [*files[:2], told, *files[2:]])
                self.socket.sendall(body)
                self.is_ready = False
                self._confirm()
            os.close(told)
            told = -1
            ready, _, _ = select.select([report], [], [], seconds + 10)
            code = os.read(report, 4) if ready else b""
        except OSError:
            code = b""
        finally:
            os.close(report)
            if told >= 0:
                os.close(told)
        if len(code) < 4:
            self.end()
            raise PassingFault("the readers' own process is gone")
        return int(struct.unpack("<i", code)[0])

    def _confirm(self) -> None:
        if not self.is_ready:
            if self.socket.recv(1) != b"!":
                raise ConnectionError
            self.is_ready = True

    def end(self) -> None:
        self.socket.close()
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()

    @property
    def is_ours(self) -> bool:
        return self.owner == os.getpid() and self.socket.fileno() >= 0 and self.process.poll() is None


_known: list[_Reader] = []
_starting = threading.Lock()


def _reader() -> _Reader:
    with _starting:
        if not _known or not _known[0].is_ours:
            if _known and _known[0].owner == os.getpid():
                _known[0].end()
            _known[:] = [_Reader()]
        return _known[0]


def start() -> None:
    """Have the readers' process ready before the first file comes."""
    _reader()
