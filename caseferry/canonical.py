"""One way to write a thing down, so that equal things have equal bytes."""

import hashlib
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    import polars as pl


def to_json(value: Any) -> bytes:
    """UTF-8 JSON, keys sorted, one trailing newline; models by alias, in JSON mode."""

    def encode(item: Any) -> Any:
        if isinstance(item, BaseModel):
            return item.model_dump(mode="json")
        raise TypeError(f"not JSON: {type(item).__name__}")

    text = json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1, default=encode)
    return text.encode() + b"\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_table(table: "pl.DataFrame", to: Path | IO[bytes]) -> None:
    """A table as it lies in the bucket. Nobody asks for statistics of its columns: they cost a quarter of the writing."""
    table.write_parquet(to, compression="zstd", compression_level=1, statistics=False)
