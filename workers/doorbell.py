"""An S3 event rings. Every dialect says the same in other words; here each becomes keys of our bucket.

Dialects: AWS S3 (through SQS, through SNS into SQS, through EventBridge), MinIO's webhook and Redis list, and the
embedded server's webhook. Recorded examples lie in tests/events/.
"""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus


def keys_in(message: bytes | str, bucket: str) -> list[str]:
    """The keys of our bucket a message says were created, each once, in its order.

    Anything that is no such news gives nothing: test events, deletions, other buckets, words we do not know. A
    message can be old, doubled or wrong; the objects are looked up again before anything is done.
    """
    try:
        value = json.loads(message)
    except (ValueError, RecursionError):
        return []
    return list(dict.fromkeys(key for name, key in _news(value, 0) if name == bucket and key))


def _news(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth > 3:
        return
    if isinstance(value, list):  # MinIO's Redis list, "access" form
        for item in value:
            yield from _news(item, depth + 1)
    elif not isinstance(value, dict):
        return
    elif value.get("Type") == "Notification" and isinstance(value.get("Message"), str):  # SNS
        try:
            yield from _news(json.loads(value["Message"]), depth + 1)
        except ValueError:
            return
    elif value.get("source") == "aws.s3" and isinstance(value.get("detail"), dict):  # EventBridge: keys are plain
        if value.get("detail-type") == "Object Created":
            detail = value["detail"]
            yield _text(detail, "bucket", "name"), _text(detail, "object", "key")
    elif isinstance(value.get("Records"), list):  # AWS, MinIO: keys are encoded as in a form
        for record in value["Records"]:
            yield from _record(record)
    elif isinstance(value.get("Event"), list):  # MinIO's Redis list
        for record in value["Event"]:
            yield from _record(record)
    elif isinstance(value.get("key"), str) and "event_type" in value:  # the embedded server: keys are plain
        yield from _embedded(value)


def _record(record: Any) -> Iterator[tuple[str, str]]:
    if isinstance(record, dict) and "ObjectCreated" in str(record.get("eventName", "")):
        s3 = record.get("s3")
        if isinstance(s3, dict):
            yield _text(s3, "bucket", "name"), unquote_plus(_text(s3, "object", "key"))


def _embedded(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    path = value["key"]
    message = value.get("message")
    entry = message.get("new_entry") if isinstance(message, dict) else None
    if value["event_type"] not in {"create", "update", "rename"} or not path.startswith("/buckets/"):
        return
    if isinstance(entry, dict) and entry.get("is_directory"):
        return
    bucket, _, key = path.removeprefix("/buckets/").partition("/")
    if key.endswith(".part") or ".uploads/" in key:  # the pieces of an upload under way
        return
    yield bucket, key.split(".versions/")[0]


def _text(value: dict[str, Any], outer: str, inner: str) -> str:
    below = value.get(outer)
    found = below.get(inner, "") if isinstance(below, dict) else ""
    return found if isinstance(found, str) else ""
