"""The bucket behind any S3 API with conditional writes: AWS, or the embedded server.

What comes back is held against what was sent: each object of ours carries its own checksum, because neither TLS nor
every server notices a byte that flips on the way.
"""

import hashlib
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from caseferry.abreast import beside
from caseferry.errors import PassingFault, StorageRefused
from caseferry.keys import DROPS
from caseferry.services.aws import GONE, LOST, RACED, TRIES, ask, code_of, make_client
from caseferry.services.s3join import Joining
from caseferry.services.s3parts import Parts, tag_of
from caseferry.services.scratch import Span
from caseferry.services.store import Replaced, Stat, crc32_of, length_of, pieces_of

if TYPE_CHECKING:
    from config.settings import S3Settings

_MD5 = re.compile(r"[0-9a-f]{32}")
_PIECE = 1 << 20
_LARGEST = 4 << 30
"""Bytes that go in one request."""
_PART = 256 << 20
_Body = bytes | Path | Span
_Taken = TypeVar("_Taken", bytes, Path)


class S3Store:
    """One bucket. Everything is written private and encrypted."""

    def __init__(self, settings: "S3Settings", client: Any = None) -> None:
        self.bucket = settings.bucket
        self.client = client or make_client("s3", settings)
        self._safe: dict[str, str] = {}
        if settings.encryption != "none":
            self._safe["ServerSideEncryption"] = settings.encryption
        if settings.kms_key:
            self._safe["SSEKMSKeyId"] = settings.kms_key

    def get(self, key: str) -> bytes:
        return self.get_tagged(key)[0]

    def get_tagged(self, key: str) -> tuple[bytes, str]:
        return self._read(key, {}, lambda body: bytes(body.read()))

    def save(self, key: str, path: Path, version: Stat | None = None) -> None:
        def spill(body: Any) -> Path:
            with path.open("wb") as file:
                while piece := body.read(_PIECE):
                    file.write(piece)
            return path

        which = {}
        if version is not None:
            which = {"IfMatch": f'"{version.tag}"'} | ({"VersionId": version.version} if version.version else {})
        try:
            self._read(key, which, spill)
        except ClientError as error:
            if version is not None and code_of(error) in LOST:
                raise Replaced from None
            raise

    def _read(self, key: str, which: dict[str, str], take: Callable[[Any], _Taken]) -> tuple[_Taken, str]:
        def read() -> tuple[_Taken, Any]:
            answer = self.client.get_object(Bucket=self.bucket, Key=key, **which)
            return take(answer["Body"]), answer

        for attempt in range(TRIES):
            try:
                data, answer = ask(read)
            except StorageRefused as refusal:
                self._unless_it_is_not_there(key, refusal)
            except PassingFault:
                if attempt == TRIES - 1:
                    raise
                time.sleep(0.2 * 2**attempt)
                continue
            except ClientError as error:
                if code_of(error) in GONE:
                    raise KeyError(key) from None
                raise
            if _is_whole(data, answer, is_ours=not key.startswith(DROPS)):
                return data, tag_of(answer)
        raise StorageRefused("CF-145", "GetObject")

    def _unless_it_is_not_there(self, key: str, refusal: StorageRefused) -> None:
        """A role that may not list says 'denied' of an object that is missing; a listing of that very key knows better.

        Raises:
            KeyError: it is not there.
            StorageRefused: it is, and we may not have it.
        """
        if refusal.code == "CF-116":
            found = ask(lambda: self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1))
            if not any(item["Key"] == key for item in found.get("Contents", ())):
                raise KeyError(key) from None
        raise refusal

    def get_range(self, key: str, start: int, length: int) -> bytes:
        if length <= 0:
            return b""
        span = f"bytes={start}-{start + length - 1}"
        try:
            return bytes(ask(lambda: self.client.get_object(Bucket=self.bucket, Key=key, Range=span)["Body"].read()))
        except ClientError as error:
            if code_of(error) in GONE:
                raise KeyError(key) from None
            if code_of(error) == "InvalidRange":  # it ends before
                return b""
            raise

    def put(self, key: str, data: bytes) -> None:
        for _ in range(TRIES):
            try:
                answer = ask(lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **self._with(data)))
            except ClientError as error:
                if code_of(error) not in RACED:
                    raise
                continue
            if self.arrived(data, answer):
                return
        raise PassingFault("what is stored is not what was sent")

    def put_once(self, key: str, data: bytes) -> bool:
        return self._conditional(key, data, {"IfNoneMatch": "*"})

    def put_file(self, key: str, file: Path | Span) -> bool:
        return self._conditional(key, file, {"IfNoneMatch": "*"})

    def grow(self, key: str) -> "_Growing":
        return _Growing(self, key)

    def join(self, key: str, head: bytes, rest: Sequence[tuple[str, int]]) -> bool:
        return Joining(self, key, self._parts(key, {})).join(head, rest)

    def copy(self, key: str, source: Stat, file: Path) -> bool:
        with beside(partial(_digest, file)) as digest:
            answer = ask(lambda: self._copied(key, source, file))
            if answer is None:
                self.put_file(key, file)
                return False
            tag = str((answer.get("CopyObjectResult") or answer).get("ETag", "")).strip('"')
            return "kms" not in str(answer.get("ServerSideEncryption", "")) and tag == digest()

    def _copied(self, key: str, source: Stat, file: Path) -> Any:
        """The store's answer; nothing if it can't copy, may not, or will not: the source is another or gone, or something is there."""
        version = {"VersionId": source.version} if source.version else {}
        origin = {"CopySource": {"Bucket": self.bucket, "Key": source.key, **version}, "CopySourceIfMatch": f'"{source.tag}"'}

        try:
            if source.size > _PART:  # a server says nothing while it copies, and we do not wait for ever
                parts = self._parts(key, {"Metadata": {"crc32": crc32_of(file)}})

                def send(number: int, start: int) -> None:
                    span = f"bytes={start}-{min(start + _PART, source.size) - 1}"
                    answer = self.client.upload_part_copy(**parts.part(number), **origin, CopySourceRange=span)
                    parts.taken(number, tag_of(answer.get("CopyPartResult") or {}))

                return self._in_parts(parts, source.size, {"IfNoneMatch": "*"}, send)
            known = {"Metadata": {"crc32": crc32_of(file)}, "MetadataDirective": "REPLACE"}
            return self.client.copy_object(Bucket=self.bucket, Key=key, **origin, **self._safe, **known, IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500 and code_of(error) != "NotImplemented":
                raise
            return None
        except (ReadTimeoutError, ConnectionClosedError):
            return None

    def swap(self, key: str, data: bytes, tag: str) -> bool:
        return self._conditional(key, data, {"IfMatch": f'"{tag}"'})

    def _send(self, key: str, data: _Body, condition: dict[str, str]) -> Any:
        if isinstance(data, bytes):
            return self.client.put_object(Bucket=self.bucket, Key=key, Body=data, **self._with(data), **condition)
        with data.open("rb") as body:
            if length_of(data) > _LARGEST:
                return self._send_parts(key, data if isinstance(data, Span) else Span(body, 0, length_of(data)), condition)
            return self.client.put_object(Bucket=self.bucket, Key=key, Body=body, **self._with(data), **condition)

    def _send_parts(self, key: str, data: Span, condition: dict[str, str]) -> Any:
        """One request takes 5 GB."""
        parts = self._parts(key, {"Metadata": {"crc32": crc32_of(data)}, "ChecksumAlgorithm": "CRC32"})
        return self._in_parts(parts, length_of(data), condition, lambda number, start: self._send_part(parts, number, data.part(start, _PART)))

    def _send_part(self, parts: Parts, number: int, some: Span) -> None:
        checksum = _base64(crc32_of(some))
        for _ in range(TRIES):
            with some.open() as body:
                answer = self.client.upload_part(**parts.part(number), Body=body, ChecksumCRC32=checksum)
            if self.arrived(some, answer):
                return parts.taken(number, tag_of(answer), checksum)
        raise PassingFault("what is stored is not what was sent")

    def _parts(self, key: str, begun_with: dict[str, Any]) -> Parts:
        return Parts(self.client, {"Bucket": self.bucket, "Key": key}, {**self._safe, **begun_with})

    def _in_parts(self, parts: Parts, size: int, condition: dict[str, str], send: Callable[[int, int], None]) -> Any:
        """A large object, a part after the other."""
        try:
            for number, start in enumerate(range(0, size, _PART), 1):
                send(number, start)
            return parts.complete(condition)
        finally:
            parts.leave()

    def _conditional(self, key: str, data: _Body, condition: dict[str, str], send: Callable[[str, _Body, dict[str, str]], Any] | None = None) -> bool:
        written, send = False, send or self._send
        for _ in range(20):
            try:
                answer = ask(lambda: send(key, data, condition))  # noqa: B023
                if self.arrived(data, answer):
                    return True
                written, condition = True, {"IfMatch": f'"{tag_of(answer)}"'}  # ours, and damaged on the way: write over that one alone
            except ClientError as error:
                if code_of(error) in LOST | GONE:
                    tries = error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
                    return (bool(tries) or written) and self._is_mine_after_all(key, data)
                if code_of(error) not in RACED:
                    raise
                time.sleep(0.05)  # two writers at once: the server asks both to come again
        raise PassingFault("the object store kept answering that two writes collide")

    def _is_mine_after_all(self, key: str, data: _Body) -> bool:
        """A first try whose answer got lost, or was damaged, is told 'somebody was first' by the second: it was itself."""
        try:
            if isinstance(data, bytes):
                return self.get(key) == data
            start = 0
            for piece in pieces_of(data):
                if self.get_range(key, start, len(piece)) != piece:
                    return False
                start += len(piece)
            found = self.stat(key)
            return found is not None and found.size == start
        except KeyError:
            return False

    def _with(self, data: _Body) -> dict[str, Any]:
        """What goes with an object in one request: our own checksum of it, to be kept beside it and held against what arrives."""
        value = crc32_of(data)
        return {**self._safe, "ChecksumCRC32": _base64(value), "Metadata": {"crc32": value}}

    def arrived(self, data: _Body, answer: Any) -> bool:
        """True if the store has what was sent, as far as its answer can tell."""
        tag = tag_of(answer)
        if answer.get("ChecksumCRC32") or "kms" in str(answer.get("ServerSideEncryption", "")) or not _MD5.fullmatch(tag):
            return True  # it checked by itself, or its tag is no digest
        return tag == _md5(data)

    def delete(self, key: str) -> None:
        ask(lambda: self.client.delete_object(Bucket=self.bucket, Key=key))

    def stat(self, key: str) -> Stat | None:
        try:
            answer = ask(lambda: self.client.head_object(Bucket=self.bucket, Key=key))
        except StorageRefused as refusal:
            try:
                self._unless_it_is_not_there(key, refusal)
            except KeyError:
                return None
            raise
        except ClientError as error:
            if code_of(error) in GONE:
                return None
            raise
        version = str(answer.get("VersionId") or "")
        return Stat(key, int(answer.get("ContentLength", 0)), tag_of(answer), "" if version == "null" else version, str(answer.get("LastModified", "")))

    def listing(self, prefix: str) -> Iterator[Stat]:
        token: dict[str, str] = {}
        while True:
            page = ask(lambda: self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **token))  # noqa: B023
            for item in page.get("Contents", ()):
                yield Stat(item["Key"], int(item["Size"]), str(item["ETag"]).strip('"'))
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def folders(self, prefix: str) -> Iterator[str]:
        token: dict[str, str] = {}
        while True:
            page = ask(
                lambda: self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, Delimiter="/", **token)  # noqa: B023
            )
            for item in page.get("CommonPrefixes", ()):
                yield str(item["Prefix"])[len(prefix) :].rstrip("/")
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def is_public(self) -> bool:
        """True if anyone at all may read the bucket, by its policy or its access list."""
        try:
            status = self.client.get_bucket_policy_status(Bucket=self.bucket)
            if status["PolicyStatus"]["IsPublic"]:
                return True
        except ClientError:
            pass  # no policy, or a server that has none: then nobody is let in by one
        try:
            policy = str(self.client.get_bucket_policy(Bucket=self.bucket)["Policy"])
            if _open_to_all(policy):
                return True
        except ClientError:
            pass
        try:
            grants = self.client.get_bucket_acl(Bucket=self.bucket).get("Grants", ())
        except ClientError:
            return False
        return any("/groups/global/" in grant.get("Grantee", {}).get("URI", "") for grant in grants)


class _Growing:
    """An object that goes in parts while it grows. Each carries a checksum; there is none of the whole, which nobody knew when it began."""

    def __init__(self, store: S3Store, key: str) -> None:
        self._store, self._key, self._parts = store, key, store._parts(key, {"ChecksumAlgorithm": "CRC32"})

    def add(self, number: int, some: Span) -> None:
        ask(lambda: self._store._send_part(self._parts, number, some))

    def done(self, whole: Span) -> bool:
        return self._store._conditional(self._key, whole, {"IfNoneMatch": "*"}, self._complete)

    def _complete(self, key: str, whole: _Body, condition: dict[str, str]) -> Any:
        try:
            return self._parts.complete(condition)
        except ClientError as error:
            if code_of(error) == "NoSuchUpload" and self._store._is_mine_after_all(key, whole):
                return {"ETag": "done before"}  # a first try did it, and its answer got lost
            raise

    def leave(self) -> None:
        self._parts.leave()


def _open_to_all(policy: str) -> bool:
    import json

    statements = json.loads(policy).get("Statement", [])
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal")
        everyone = principal == "*" or (isinstance(principal, dict) and "*" in principal.values())
        if one.get("Effect") == "Allow" and everyone and not one.get("Condition"):
            return True
    return False


def _base64(crc: str) -> str:
    return b64encode(bytes.fromhex(crc)).decode()


def _md5(data: _Body) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces_of(data):
        digest.update(piece)
    return digest.hexdigest()


def _digest(file: Path) -> str:
    """The tag of a copy of a file, where tags are digests: of its parts' digests where it has several."""
    size = length_of(file)
    if size <= _PART:
        return _md5(file)
    with file.open("rb") as whole:
        parts = [bytes.fromhex(_md5(Span(whole, start, min(_PART, size - start)))) for start in range(0, size, _PART)]
    return f"{hashlib.md5(b''.join(parts), usedforsecurity=False).hexdigest()}-{len(parts)}"


def _is_whole(data: _Body, answer: Any, *, is_ours: bool) -> bool:
    """True if these are the bytes that were stored: by our own checksum, else by a tag that is their digest."""
    ours = (answer.get("Metadata") or {}).get("crc32")
    if ours and is_ours:  # what an uploader wrote beside his file is not believed
        return bool(ours == crc32_of(data))
    tag = tag_of(answer)
    if "kms" in str(answer.get("ServerSideEncryption", "")) or not _MD5.fullmatch(tag):
        return length_of(data) == int(answer.get("ContentLength", length_of(data)))
    return tag == _md5(data)
