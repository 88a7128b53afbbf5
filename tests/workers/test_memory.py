"""What long-lived processes do so that they stay small."""

import subprocess
import sys

import pytest

_HEAPS = """
import ctypes, importlib, re, sys, tempfile, threading
for name in sys.argv[1:]:
    importlib.import_module(name)
def work():
    held = [bytes(10_000) for _ in range(500)]
    there.wait()
there = threading.Barrier(9)
threads = [threading.Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
there.wait()
library = ctypes.CDLL(None)
library.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as file:
    out = ctypes.c_void_p(library.fopen(file.name.encode(), b"w"))
    library.malloc_info(0, out)
    library.fclose(out)
    print(len(re.findall(b"<heap nr", file.read())))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_threads_of_every_process_of_ours_have_their_memory_from_one_place() -> None:
    def heaps(*modules: str) -> int:
        return int(subprocess.run([sys.executable, "-c", _HEAPS, *modules], capture_output=True, text=True, check=True).stdout)

    assert heaps() > 1 and heaps("polars") > 1
    assert heaps("workers.app") == heaps("workers.commands.crossing") == heaps("workers", "polars") == 1
