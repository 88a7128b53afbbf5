"""An object that goes into a bucket in parts: it is there, whole, when it is completed, and nobody sees anything of it before."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

LEAST = 5 << 20
"""Bytes of a part, but for the last."""


@dataclass(frozen=True)
class Stretch:
    """Some bytes of an object."""

    key: str
    start: int
    length: int


def laid_behind(head: bytes, rest: Sequence[tuple[str, int]], most: int) -> Iterator[list[bytes | Stretch]]:
    """What each part is made of, where some bytes and other objects lie one behind the other. A single stretch is copied by the
    server; of several, each too short for a part, whoever sends them has to fetch them first.

    Args:
        rest: keys, and bytes of each.
        most: bytes of a part.
    """
    held: list[bytes | Stretch] = [head] if head else []
    size = len(head)
    for key, length in rest:
        at = 0
        if 0 < size < LEAST:
            at = length if length < 2 * LEAST - size else LEAST - size
            held.append(Stretch(key, 0, at))
            size += at
        if size >= LEAST:
            yield held
            held, size = [], 0
        count = -(-(length - at) // most)
        for number in range(count):
            end = at + -(-(length - at) // (count - number))
            held, size = [*held, Stretch(key, at, end - at)], size + end - at
            if size >= LEAST:
                yield held
                held, size = [], 0
            at = end
    if held:
        yield held


class Parts:
    """One multipart upload, begun with its first part. Parts may come side by side.

    Args:
        which: `Bucket` and `Key`.
        begun_with: what the server is told at the beginning. With a `ChecksumAlgorithm`, each part comes with a checksum.
    """

    def __init__(self, client: Any, which: Mapping[str, Any], begun_with: Mapping[str, Any]) -> None:
        self._client, self._which, self._begun_with = client, dict(which), dict(begun_with)
        self._beginning = threading.Lock()
        self._is_open = False
        self._taken: dict[int, dict[str, Any]] = {}

    def part(self, number: int) -> dict[str, Any]:
        """How a request says that it is about this part, from 1."""
        with self._beginning:
            if not self._is_open:
                self._which["UploadId"] = self._client.create_multipart_upload(**self._which, **self._begun_with)["UploadId"]
                self._is_open = True
        return {**self._which, "PartNumber": number}

    def taken(self, number: int, tag: str, checksum: str = "") -> None:
        """The server has it, and named it so.

        Args:
            checksum: what came with it, in base64.
        """
        self._taken[number] = {"PartNumber": number, "ETag": f'"{tag}"'} | ({"ChecksumCRC32": checksum} if checksum else {})

    def complete(self, condition: Mapping[str, str]) -> Any:
        """Make an object of all parts, in the order of their numbers."""
        parts = [self._taken[number] for number in sorted(self._taken)]
        answer = self._client.complete_multipart_upload(**self._which, MultipartUpload={"Parts": parts}, **condition)
        self._is_open = False
        return answer

    def leave(self) -> None:
        """Nothing comes of it, unless it is complete."""
        if self._is_open:
            self._is_open = False
            with suppress(ClientError, BotoCoreError):
                self._client.abort_multipart_upload(**self._which)
