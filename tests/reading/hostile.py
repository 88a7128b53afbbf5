"""What a reader that was taken over would try. Run behind the guard by the tests; never anywhere else."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from typing import Any

Made = tuple[Any, list[bytes]]


def _outcome(call: Any) -> str:
    try:
        call()
    except (OSError, PermissionError) as error:
        return type(error).__name__
    return "done"


def attempts(data: bytes, limits: dict[str, Any], outside: str) -> Made:
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
    }, []


def abort(data: bytes, limits: dict[str, Any]) -> Made:
    os.abort()


def crash(data: bytes, limits: dict[str, Any]) -> Made:
    ctypes.string_at(0)
    return None, []


def leave(data: bytes, limits: dict[str, Any]) -> Made:
    os._exit(137)


def sleep(data: bytes, limits: dict[str, Any]) -> Made:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(3600)
    return None, []


def spin(data: bytes, limits: dict[str, Any]) -> Made:
    while True:
        pass


def grow(data: bytes, limits: dict[str, Any]) -> Made:
    held = []
    while True:
        held.append(bytearray(64 << 20))


def talk(data: bytes, limits: dict[str, Any]) -> Made:
    return None, [bytes(limits["answer_bytes"] + 1)]


def raise_cell(data: bytes, limits: dict[str, Any]) -> Made:
    raise ValueError(data.decode())


def panic(data: bytes, limits: dict[str, Any]) -> Made:
    raise BaseException("a panic of a native library")


def echo(data: bytes, limits: dict[str, Any]) -> Made:
    return len(data), [data]
