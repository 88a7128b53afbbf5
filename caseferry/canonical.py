"""One way to write a thing down, so that equal things have equal bytes."""

import hashlib
import json
from typing import Any

import pydantic_core
from pydantic import BaseModel


def to_json(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted, one trailing newline; models by alias, in JSON mode."""
    try:
        return pydantic_core.to_json(_in_order(value), indent=1) + b"\n"
    except (_WrittenOtherwise, pydantic_core.PydanticSerializationError, RecursionError):
        return _slowly(value)


class _WrittenOtherwise(Exception):
    """Somewhere in a value is something that the quick encoder writes in another way than Python's, or not at all."""


def _in_order(value: Any) -> Any:
    """The same with the keys of all its mappings sorted."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise _WrittenOtherwise
        return {key: _in_order(value[key]) for key in sorted(value)}
    if kind is list or kind is tuple:
        return [_in_order(one) for one in value]
    if kind is float and 1e-4 <= abs(value) < 1e15:
        return value
    if isinstance(value, BaseModel):
        return _in_order(value.model_dump(mode="json"))
    raise _WrittenOtherwise


def _slowly(value: Any) -> bytes:
    def encode(item: Any) -> Any:
        if isinstance(item, BaseModel):
            return item.model_dump(mode="json")
        raise TypeError(f"not JSON: {type(item).__name__}")

    text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, default=encode)
    return text.encode() + b"\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
