"""What is written once and never changed, read once by each process."""

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
_SMALL, _MOST = 8_192, 512
"""Bytes of an object that a process keeps, and how many of those."""


def read_json(store: ObjectStore, key: str) -> dict[str, object]:
    value = json.loads(store.get(key))
    if not isinstance(value, dict):
        raise BrokenPromise("a manifest is not a mapping")
    return value


def read_model(store: ObjectStore, key: str, kind: type[M]) -> M:
    """A manifest that is written once and never changed, so each process reads it once."""
    known = _READ.setdefault(store, OrderedDict())
    found = known.get(key)
    if found is None:
        found = known[key] = kind.model_validate(read_json(store, key))
        if len(known) > 64:
            known.popitem(last=False)
    assert isinstance(found, kind)
    return found


def read_once(store: ObjectStore, keys: Sequence[str]) -> list[bytes]:
    """Small objects that are written once and never changed: entries of logs. Each process reads each of them once, for
    whoever adds the next one has to know all of them.
    """
    known = _ONCE.setdefault(store, OrderedDict())
    found = {key: known.get(key) for key in keys}
    absent = [key for key, data in found.items() if data is None]
    got = dict(zip(absent, get_all(store, absent), strict=True)) if absent else {}
    known.update((key, data) for key, data in got.items() if len(data) <= _SMALL)
    for _ in range(len(known) - _MOST):
        known.popitem(last=False)
    return [found[key] or got[key] for key in keys]
