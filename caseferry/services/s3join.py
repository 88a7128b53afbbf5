"""Objects that lie in a bucket, laid behind each other by the server itself: a multipart upload whose parts are copies."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from caseferry.errors import PassingFault, StorageRefused
from caseferry.services.aws import RACED, TRIES, ask, code_of
from caseferry.services.s3parts import Parts, tag_of
from caseferry.services.scratch import Scratch
from caseferry.services.store import AT_ONCE

if TYPE_CHECKING:
    from caseferry.services.s3 import S3Store

COPY = 32 << 20
"""Bytes that are copied, or fetched and sent, at a time."""
_FETCHING = threading.Semaphore(2)
"""How many of those are in memory together."""
_OTHER_PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "InvalidRequest", "InvalidArgument", "NotImplemented"}
"""How a server says that parts are not as it wants them: some take none but equally long ones."""
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


class Joining:
    """One object that is made so.

    Args:
        parts: of it, none begun yet.
    """

    def __init__(self, store: "S3Store", key: str, parts: Parts) -> None:
        self._store, self._key, self._parts = store, key, parts

    def join(self, head: bytes, rest: Sequence[tuple[str, int]]) -> bool:
        """As `ObjectStore.join`."""
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda one: self._part(*one), enumerate(laid_behind(head, rest, COPY), 1)))
            made = self._is_made()
        finally:
            self._parts.leave()
        return self._whole(head, rest) if made is None else made

    def _is_made(self) -> bool | None:
        """True if an object was made of them; False if there is one, which may be just that: a first try's answer can get lost.
        Nothing if the server wants parts of another kind.
        """
        for _ in range(TRIES):
            try:
                ask(lambda: self._parts.complete({"IfNoneMatch": "*"}))
                return True
            except (ClientError, PassingFault) as error:
                cause = error if isinstance(error, ClientError) else error.__cause__
                if isinstance(cause, ClientError) and code_of(cause) in RACED:
                    time.sleep(0.05)
                    continue
                if self._store.stat(self._key) is not None:
                    return False
                if isinstance(cause, ClientError) and code_of(cause) in _OTHER_PARTS:
                    return None
                raise PassingFault("the object store did not make one of the parts") from error
        raise PassingFault("the object store kept answering that two writes collide")

    def _whole(self, head: bytes, rest: Sequence[tuple[str, int]]) -> bool:
        """Fetch all of it, and send it as any other file."""
        with Scratch() as scratch:
            path = scratch.file()
            with path.open("wb") as file:
                file.write(head)
                for one, length in rest:
                    for start in range(0, length, COPY):
                        file.write(self._fetched(Stretch(one, start, min(COPY, length - start))))
            return self._store.put_file(self._key, path)

    def _part(self, number: int, some: list[bytes | Stretch]) -> None:
        """Have the server copy a stretch, if it is one and the server can; else fetch the bytes and send them."""
        if len(some) == 1 and isinstance(some[0], Stretch) and self._has_copied(number, some[0]):
            return
        with _FETCHING:
            data = b"".join(one if isinstance(one, bytes) else self._fetched(one) for one in some)
            for _ in range(TRIES):
                answer = ask(lambda: self._store.client.upload_part(**self._parts.part(number), Body=data))
                if self._store.arrived(data, answer):
                    return self._parts.taken(number, tag_of(answer), str(answer.get("ChecksumCRC32", "")))
        raise PassingFault("what is stored is not what was sent")

    def _has_copied(self, number: int, some: Stretch) -> bool:
        span, source = f"bytes={some.start}-{some.start + some.length - 1}", {"Bucket": self._store.bucket, "Key": some.key}
        try:
            answer = ask(lambda: self._store.client.upload_part_copy(**self._parts.part(number), CopySource=source, CopySourceRange=span))
        except (ClientError, PassingFault, StorageRefused):  # what stands in the way of a copy is told by fetching, if it does there too
            return False
        made = answer.get("CopyPartResult") or {}
        self._parts.taken(number, tag_of(made), str(made.get("ChecksumCRC32", "")))
        return True

    def _fetched(self, some: Stretch) -> bytes:
        """Some bytes of an object, of which no checksum tells: read until two answers are the same.

        Raises:
            KeyError: there are not so many.
        """
        before = None
        for _ in range(TRIES):
            data = self._store.get_range(some.key, some.start, some.length)
            if data == before:
                if len(data) != some.length:
                    raise KeyError(some.key)
                return data
            before = data
        raise PassingFault("the object store gives other bytes each time")
