"""What a process that reads foreign bytes may still do: compute, read what it was handed, answer, and nothing else.

Memory, processor time, wall time and the size of its answer are limited by the kernel. On Linux a system call filter
takes the network, other programs, other processes and every file it could write to. Written by hand because the one
library for it needs a C library that slim images lack; it is a list of numbers and a loop.
"""

import ctypes
import platform
import resource
import signal
import struct
import sys

_DENY, _ALLOW, _NO_SUCH_CALL, _KILL = 0x00050001, 0x7FFF0000, 0x00050026, 0x80000000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000
_THREAD = 0x10000
# Names: network · programs · other processes · files and names · the rest of the kernel's large doors.
_X86 = (41, 42, 43, 44, 46, 49, 50, 53, 288, 307, 59, 322, 57, 58, 62, 129, 200, 234, 297, 101, 310, 311, 424, 434, 438,
        76, 82, 83, 84, 85, 86, 87, 88, 90, 92, 133, 258, 259, 260, 263, 264, 265, 266, 268, 316, 165, 161, 272, 308, 321, 323, 425)  # fmt: skip
_ARM = (198, 199, 200, 201, 202, 203, 206, 211, 242, 269, 221, 281, 129, 130, 131, 138, 240, 117, 270, 271, 424, 434, 438,
        33, 34, 35, 36, 37, 38, 45, 53, 54, 276, 40, 51, 97, 268, 280, 282, 425)  # fmt: skip
_KINDS = {
    # machine: its number, denied, (open with flags in this argument), clone, clone3 and openat2
    "x86_64": (0xC000003E, _X86, ((2, 1), (257, 2)), 56, (435, 437)),
    "aarch64": (0xC00000B7, _ARM, ((56, 2),), 220, (435, 437)),
}


def close_in(memory_bytes: int, seconds: int, answer_bytes: int) -> None:
    """Limit this process for good. There is no way back.

    Args:
        memory_bytes: of address space.
        seconds: of wall time, and of processor time too. Past it the kernel ends the process, whatever it does.
        answer_bytes: the largest file it may write; its answer is the only one it has.
    """
    for what, most in (
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, answer_bytes), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory_bytes),
    ):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            # Past the soft limit of time comes a signal with a name, past the hard one a bare kill.
            resource.setrlimit(what, (most, most + 1 if what == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else most))
        except (ValueError, OSError):
            if what != resource.RLIMIT_AS:  # macOS knows no limit of address space
                raise
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    if sys.platform == "linux":
        _filter_calls()


def _filter_calls() -> None:
    program = _program(platform.machine())
    if not program:
        return
    libc = ctypes.CDLL(None, use_errno=True)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_void_p))

    buffer = ctypes.create_string_buffer(program, len(program))
    given = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges: what an unprivileged process must promise first
    libc.prctl(22, 2, ctypes.byref(given), 0, 0)  # where the kernel has no filters the limits above still hold


def _program(machine: str) -> bytes:
    """The filter as the kernel wants it: eight bytes an instruction."""
    if machine not in _KINDS:
        return b""
    number, denied, opens, clone, unknown = _KINDS[machine]

    def line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("<HBBI", code, yes, no, value)

    code = [line(_LOAD, 4), line(_EQUAL, number, 1, 0), line(_RETURN, _KILL), line(_LOAD, 0)]
    code += [line(_AT_LEAST, 0x40000000, 0, 1), line(_RETURN, _DENY)]  # the other way to number calls on x86
    for call in denied:
        code += [line(_EQUAL, call, 0, 1), line(_RETURN, _DENY)]
    for call in unknown:  # libraries fall back to the older call, which can be looked into
        code += [line(_EQUAL, call, 0, 1), line(_RETURN, _NO_SUCH_CALL)]
    for call, argument in opens:
        code += [line(_EQUAL, call, 0, 4), line(_LOAD, 16 + 8 * argument), line(_ANY_BIT, _WRITING, 0, 1), line(_RETURN, _DENY), line(_RETURN, _ALLOW)]
    code += [line(_EQUAL, clone, 0, 4), line(_LOAD, 16), line(_ANY_BIT, _THREAD, 1, 0), line(_RETURN, _DENY), line(_RETURN, _ALLOW)]
    return b"".join([*code, line(_RETURN, _ALLOW)])
