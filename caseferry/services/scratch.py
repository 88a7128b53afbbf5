"""Files on disk that nobody can find: they have no name, and are gone with the process that made them, however it ends.

What a step can't hold in memory waits here. A worker that is killed leaves no client's data behind.
"""

import tempfile
from pathlib import Path
from typing import IO


class Scratch:
    """Makes nameless files; all of them are gone when it is left."""

    def __init__(self) -> None:
        self._files: list[IO[bytes]] = []

    def file(self) -> Path:
        """Where one more file can be opened, by this process alone, as often as it likes."""
        made = tempfile.TemporaryFile()  # noqa: SIM115  closed when the scratch is left
        self._files.append(made)
        return Path(f"/dev/fd/{made.fileno()}")

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._files:
            one.close()
