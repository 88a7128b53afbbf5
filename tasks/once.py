"""What is written once and never changed, read once by each process, and not at all by the one that wrote it."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeVar
from weakref import WeakKeyDictionary

from caseferry.errors import BrokenPromise
from caseferry.model import Model
from caseferry.services.store import ObjectStore, get_all

M = TypeVar("M", bound=Model)
_READ: WeakKeyDictionary[ObjectStore, OrderedDict[str, Model]] = WeakKeyDictionary()
_ONCE: WeakKeyDictionary[ObjectStore, OrderedDict[str, bytes]] = WeakKeyDictionary()
_SMALL, _MOST, _ROOM = 1 << 19, 512, 8 << 20
"""Bytes of an object that a process keeps, how many of those, and bytes of them all."""


def read_json(store: ObjectStore, key: str) -> dict[str, object]:
    """What lies there now."""
    return _mapping(store.get(key))


def read_kept(store: ObjectStore, key: str) -> dict[str, object]:
    """The same of what is never changed."""
    return _mapping(read_once(store, [key])[0])


def _mapping(data: bytes) -> dict[str, object]:
    value = json.loads(data)
    if not isinstance(value, dict):
        raise BrokenPromise("a manifest is not a mapping")
    return value


def read_model(store: ObjectStore, key: str, kind: type[M]) -> M:
    """A manifest that is written once and never changed."""
    known = _READ.setdefault(store, OrderedDict())
    found = known.get(key)
    if found is None:
        found = known[key] = kind.model_validate(read_kept(store, key))
        if len(known) > 64:
            known.popitem(last=False)
    assert isinstance(found, kind)
    return found


def read_once(store: ObjectStore, keys: Sequence[str]) -> list[bytes]:
    """Objects that are written once and never changed. Each process reads each of the small ones once: whoever adds the next
    entry of a log has to know all before it.
    """
    known = _ONCE.setdefault(store, OrderedDict())
    found = {key: known.get(key) for key in keys}
    absent = [key for key, data in found.items() if data is None]
    got = dict(zip(absent, get_all(store, absent), strict=True)) if absent else {}
    for key, data in got.items():
        _keep(store, key, data)
    return [found[key] or got[key] for key in keys]


def write_once(store: ObjectStore, key: str, data: bytes) -> bool:
    """`put_once`; what was written is not read again by this process."""
    is_first = store.put_once(key, data)
    if is_first:
        _keep(store, key, data)
    return is_first


def _keep(store: ObjectStore, key: str, data: bytes) -> None:
    known = _ONCE.setdefault(store, OrderedDict())
    if len(data) <= _SMALL:
        known[key] = data
        while len(known) > _MOST or sum(map(len, known.values())) > _ROOM:
            known.popitem(last=False)
