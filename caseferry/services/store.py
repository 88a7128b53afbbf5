"""The bucket, as the stages see it. Two kinds stand behind it: S3, and a folder on this computer.

Every promise rests on two writes: `put_once` (the first writer wins, everybody else is told) and `swap` (only on top
of the version one has read). Both kinds keep them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stat:
    key: str
    size: int
    tag: str
    """Changes when the bytes do: the ETag, or the version id."""


class ObjectStore(Protocol):
    def get(self, key: str) -> bytes:
        """The object's bytes. Raises KeyError if there is none."""
        ...

    def get_tagged(self, key: str) -> tuple[bytes, str]: ...

    def get_range(self, key: str, start: int, length: int) -> bytes: ...

    def put(self, key: str, data: bytes) -> None: ...

    def put_once(self, key: str, data: bytes) -> bool:
        """Write if nothing is there. False: somebody was first, and theirs stands."""
        ...

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        """Write over the version `tag`. False: it is no longer that version."""
        ...

    def stat(self, key: str) -> Stat | None: ...

    def listing(self, prefix: str) -> Iterator[Stat]:
        """All objects below the prefix, in the order of their keys."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The names right below the prefix that hold further keys."""
        ...
