"""Files on disk that nobody can find: they have no name, and are gone with the process that made them, however it ends.

What a step can't hold in memory waits here. A worker that is killed leaves no client's data behind. Only Linux lets a
nameless file be opened again; elsewhere, on a laptop, they lie in a folder that is ours alone and go with the step.
"""

import sys
import tempfile
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path


@cache
def _as_many_as_allowed() -> None:
    """Open as many files at a time as the system lets us at most: a large run's parts are many, and each is one."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Scratch:
    """Makes files that are gone when it is left."""

    def __init__(self) -> None:
        self._all = ExitStack()
        _as_many_as_allowed()
        self._folder = None if sys.platform == "linux" else Path(self._all.enter_context(tempfile.TemporaryDirectory()))

    def file(self) -> Path:
        """Where one more file can be opened, by this process alone, as often as it likes."""
        if self._folder is None:
            return Path(f"/proc/self/fd/{self._all.enter_context(tempfile.TemporaryFile()).fileno()}")
        handle, name = tempfile.mkstemp(dir=self._folder)
        open(handle, "wb").close()
        return Path(name)

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        self._all.close()
