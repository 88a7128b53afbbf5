"""What a reader that was taken over would try. Run behind the guard by the tests; never anywhere else."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from typing import Any

from caseferry.errors import ExportRefused
from caseferry.reading.source import Source
from caseferry.reading.works import Blobs


def _outcome(call: Any) -> str:
    try:
        call()
    except (OSError, PermissionError) as error:
        return type(error).__name__
    return "done"


def attempts(data: Source, limits: dict[str, Any], blobs: Blobs, outside: str) -> Any:
    """Everything a reader has no business doing, and what came of it."""
    return {
        "socket": _outcome(lambda: socket.create_connection(("127.0.0.1", int(outside.split(":")[1])), 1)),
        "socketpair": _outcome(socket.socketpair),
        "program": _outcome(lambda: subprocess.run(["/bin/true"], check=True)),
        "shell": _outcome(lambda: os.execv("/bin/true", ["true"])),
        "fork": _outcome(os.fork),
        "kill": _outcome(lambda: os.kill(os.getppid(), signal.SIGKILL)),
        "write": _outcome(lambda: open(outside.split(":")[0], "w").write("x")),
        "append": _outcome(lambda: os.open(outside.split(":")[0], os.O_WRONLY | os.O_APPEND)),
        "folder": _outcome(lambda: os.mkdir(outside.split(":")[0] + ".d")),
        "remove": _outcome(lambda: os.unlink(outside.split(":")[0])),
        "rename": _outcome(lambda: os.rename(outside.split(":")[0], outside.split(":")[0] + ".x")),
        "link": _outcome(lambda: os.symlink("/etc/passwd", outside.split(":")[0] + ".l")),
    }


def abort(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    os.abort()


def crash(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    ctypes.string_at(0)


def leave(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    os._exit(137)


def sleep(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)


def spin(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    while True:
        pass


def grow(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    held = []
    while True:
        held.append(bytearray(64 << 20))


def talk(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    blobs.write(bytes(limits["answer_bytes"] + 1))


def raise_cell(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    raise ValueError(data.whole().decode())


def refuse(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    blobs.write(b"half of something")
    raise ExportRefused("CF-130", "", "it says no")


def panic(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    raise BaseException("a panic of a native library")


def echo(data: Source, limits: dict[str, Any], blobs: Blobs) -> Any:
    for piece in data.pieces():
        blobs.write(piece)
    blobs.end()
    return len(data)
