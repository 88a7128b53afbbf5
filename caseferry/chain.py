"""A log that shows when it was touched: each entry holds the hash of the one before it, and the head is signed.

    audit/0000000001.json   {"seq", "at", "what", "by", "about", "sha256", "prev", "signature"}
    audit/head.json         {"count", "sha256", "signature"}

Ed25519 (RFC 8032) over the canonical JSON of everything but the signature. Without a key the chain still shows a changed,
missing, added or moved entry; only whoever rewrites all of it would go unnoticed.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from caseferry.canonical import sha256, to_json

START = "0" * 64
HEAD = "head.json"
_ENTRY = re.compile(r"(\d{10})\.json")


def new_key() -> str:
    """A fresh signing key: 32 bytes in base64."""
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_of(key: str) -> str:
    """The public half of a signing key, in base64."""
    public = _private(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(public).decode()


def entry(seq: int, prev: str, facts: Mapping[str, object], key: str = "") -> bytes:
    """One entry, ready to be written."""
    return _signed({"seq": seq, "prev": prev, **facts}, key)


def head(count: int, last: str, key: str = "") -> bytes:
    """What says how long the chain is, and how it ends."""
    return _signed({"count": count, "sha256": last}, key)


def name_of(seq: int) -> str:
    return f"{seq:010d}.json"


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(key, validate=True))


def _signed(body: dict[str, object], key: str) -> bytes:
    signature = base64.b64encode(_private(key).sign(to_json(body))).decode() if key else ""
    return to_json({**body, "signature": signature})


def problems(files: Mapping[str, bytes], public: str = "", objects: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """What is wrong with a chain, the first bad entry first. Nothing if it is whole.

    Args:
        files: the files of the `audit` folder, by name.
        public: the key the signatures are held against; empty to leave them alone.
        objects: what lies in the run, by key below it, as far as it is at hand; each is held against its entry.
    """
    names = sorted(name for name in files if _ENTRY.fullmatch(name))
    prev, told = START, set[str]()
    for place, name in enumerate(names, 1):
        if name != name_of(place):
            yield f"entry {place} is missing"
            return
        body = _mapping(files[name])
        if body is None or body.get("seq") != place:
            yield f"entry {place} is not the one that was written there: it was added, moved or damaged"
            return
        if body.get("prev") != prev:
            bad = place - 1 if place > 1 and _genuine(_mapping(files[names[place - 2]]), public) is False else place
            yield f"entry {bad} was changed, or entries around it were moved: the chain breaks between {place - 1} and {place}"
            return
        if _genuine(body, public) is False:
            yield f"entry {place} was changed: its signature does not fit"
            return
        prev = sha256(files[name])
        about = str(body.get("about", ""))
        told.add(about)
        if objects is not None and about in objects and sha256(objects[about]) != body.get("sha256"):
            yield f"entry {place} tells of another version of {about} than the one that lies there"
    yield from _end(files.get(HEAD), len(names), prev, public)
    for missing in sorted(set(objects or ()) - told):
        yield f"no entry tells of {missing}: the log was cut off, or the object was added"


def _end(data: bytes | None, count: int, last: str, public: str) -> Iterator[str]:
    body = _mapping(data) if data is not None else None
    if body is None:
        yield "the head is missing: nothing says where the log ends"
    elif _genuine(body, public) is False:
        yield "the head was changed: its signature does not fit"
    elif not isinstance(body.get("count"), int):
        yield "the head was damaged"
    elif body["count"] > count:
        yield f"the log was cut off: it had {body['count']} entries and has {count}"
    elif body["count"] < count:
        yield f"entry {body['count'] + 1} was added behind the end"
    elif body.get("sha256") != last:
        yield f"entry {count} was changed: the head tells of another"


def _mapping(data: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _genuine(body: dict[str, Any] | None, public: str) -> bool | None:
    """Whether the signature fits; nothing where there is no key to tell by."""
    if not public or body is None:
        return None
    rest = {key: value for key, value in body.items() if key != "signature"}
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(base64.b64decode(str(body.get("signature", ""))), to_json(rest))
    except (InvalidSignature, ValueError):
        return False
    return True
