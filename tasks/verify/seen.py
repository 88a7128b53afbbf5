"""What somebody has seen of some batches, as it is written down by one worker and added up by another."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from caseferry.tables import add_tables, read_tables, table_of
from tasks.verify.evidence import Batch

_FACTS = "facts.json"


@dataclass(frozen=True)
class Seen:
    """All that one watcher keeps.

    Args:
        facts: what JSON can hold; money as text.
        tables: what may be long.
    """

    facts: Any = None
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)


class Onlooker(Protocol):
    """Somebody who is shown every batch, in order."""

    def see(self, batch: Batch) -> None: ...


class Watcher(Onlooker, Protocol):
    """One who can say what he saw, and add up what others were shown."""

    name: str

    def seen(self) -> Seen:
        """What it has seen so far."""
        ...

    def add(self, seen: Seen) -> None:
        """What another one saw of the batches that follow."""
        ...


def written(every: Mapping[str, Seen]) -> bytes:
    """What several watchers have seen, by their names, as one object."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        facts = json.dumps({name: [one.facts, sorted(one.tables)] for name, one in every.items()}, ensure_ascii=False)
        archive.writestr(zipfile.ZipInfo(_FACTS), facts.encode(), zipfile.ZIP_DEFLATED, 1)
        add_tables(archive, {f"{name}.{table}": rows for name, one in every.items() for table, rows in one.tables.items()})
    return buffer.getvalue()


def read(data: bytes) -> dict[str, Seen]:
    """What `written` wrote."""
    archive = read_tables(data)
    facts = json.loads(archive.read(_FACTS))
    return {name: Seen(one, {table: table_of(archive, f"{name}.{table}") for table in tables}) for name, (one, tables) in facts.items()}
