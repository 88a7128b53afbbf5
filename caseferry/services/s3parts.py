"""An object that goes into a bucket in parts: it is there, whole, when it is completed, and nobody sees anything of it before."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from caseferry.errors import PassingFault


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


def tag_of(answer: Any) -> str:
    """The version an answer tells of. One that tells of none was damaged on its way; it is no missing object."""
    tag = str(answer.get("ETag", "")).strip('"')
    if not tag:
        raise PassingFault("the object store's answer lacks its version")
    return tag
