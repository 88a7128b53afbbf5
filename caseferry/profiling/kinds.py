"""The kinds of lists an export may hold, and how each shows: `kinds.yaml`, checked when it is loaded."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from caseferry.mapping.layers import read_yaml
from caseferry.records import RECORDS


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kind(_Strict):
    """What a list may be."""

    record: str = ""
    exclusion: str = ""
    needs: tuple[tuple[str, ...], ...]
    """Of each group at least one field, or a list is no such list."""
    least: int = 1
    speaks: tuple[str, ...] = ()
    or_holds: tuple[str, ...] = ()
    """Values of a column that say as much."""
    also: tuple[str, ...] = ()
    """Words that must be there, all of them."""
    never: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    untitled: tuple[str, ...] = ()
    says: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Stranger(_Strict):
    """What is none of ours, and how it shows."""

    what: str
    least: int
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Of the list itself."""


class _Said(_Strict):
    kinds: dict[str, Kind]
    strangers: tuple[Stranger, ...]


def _load() -> _Said:
    said = _Said.model_validate(read_yaml(Path(__file__).with_name("kinds.yaml")))
    kinds = {name: kind if kind.record else kind.model_copy(update={"record": name}) for name, kind in said.kinds.items()}
    for name, kind in kinds.items():
        strange = {*kind.says, *(field for group in kind.needs for field in group)} - RECORDS[kind.record].names()
        if strange:
            raise ValueError(f"kinds.yaml: {name}: {kind.record} has no field {', '.join(sorted(strange))}")
    return said.model_copy(update={"kinds": kinds})


_SAID = _load()
KINDS: dict[str, Kind] = _SAID.kinds
STRANGERS: tuple[Stranger, ...] = _SAID.strangers
