"""What a source profile may say: `config/sources/*.yaml`, checked when it is loaded.

A profile names every table a system exports by its headings, and the record each becomes.
"""

import difflib
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from caseferry.mapping.headings import normal
from caseferry.records import RECORDS

SOURCES = Path(__file__).parents[2] / "config" / "sources"


class ProfileError(ValueError):
    """A profile says something it may not. The message names file, key and likely spelling."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Custom(_Strict):
    """A column that becomes a custom field of the target."""

    headings: tuple[str, ...]
    parent: Literal["Contact", "Matter"]
    type: str = "text_line"
    set: Literal["general", "compliance", "conveyancing"] = "general"


class TableProfile(_Strict):
    """One table of a source: how it is told, and what its columns mean."""

    record: str
    about: str = ""
    exclusion: str = ""
    columns: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    must: tuple[tuple[str, ...], ...] = ()
    """Of each group at least one field has to be there."""
    never: tuple[str, ...] = ()
    """Words whose presence rules this table out."""
    marks: tuple[str, ...] = ()
    """Fields that speak for this table more than others."""
    titles: tuple[str, ...] = ()
    group: str = ""
    """The field a group's header row carries when it has no label of its own."""
    fill_down: tuple[str, ...] = ()
    custom: dict[str, Custom] = Field(default_factory=dict)
    leave: tuple[str, ...] = ()
    credit: Literal["positive", "negative"] = "negative"
    """What `CR` behind an amount means here."""


class Exclusion(_Strict):
    title: str
    requirement: str
    todo: str = ""


class Profile(_Strict):
    """A source system."""

    source: str
    product: str
    words: dict[str, tuple[str, ...]]
    tables: dict[str, TableProfile]
    custom_sets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Regions in which a set of custom fields exists; a set not named here exists everywhere."""
    variants: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Wording by which a regional version gives itself away."""
    statuses: dict[Literal["Open", "Closed"], tuple[str, ...]] = Field(default_factory=dict)
    billed: tuple[str, ...] = ()
    not_billed: tuple[str, ...] = ()
    sections: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Words by which a lone row heads a section of the list, not a person's matters; the key is the field it sets."""
    not_billable: tuple[str, ...] = ()
    expense_types: tuple[str, ...] = ()
    true_words: tuple[str, ...] = ()
    false_words: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    company_words: tuple[str, ...] = ()
    person_titles: tuple[str, ...] = ()
    person_card_types: tuple[str, ...] = ()
    company_card_types: tuple[str, ...] = ()
    group_labels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    footers: tuple[str, ...] = ()
    expect: dict[str, int] = Field(default_factory=dict)
    """Tables without which an export is not whole, and the fewest rows of each."""
    export_steps: str = ""
    exclusions: dict[str, Exclusion] = Field(default_factory=dict)
    _aliases: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)

    def headings(self, table: str) -> dict[str, str]:
        """Normal heading → field (or `custom:<name>`, or `leave:`) of one table."""
        if table not in self._aliases:
            spec = self.tables[table]
            found: dict[str, str] = {}
            for field, value in spec.columns.items():
                for heading in self.words[value] if isinstance(value, str) else value:
                    found.setdefault(normal(heading), field)
            for name, custom in spec.custom.items():
                for heading in (name, *custom.headings):
                    found.setdefault(normal(heading), f"custom:{name}")
            for heading in spec.leave:
                found.setdefault(normal(heading), "leave:")
            self._aliases[table] = found
        return self._aliases[table]

    @cached_property
    def normal_words(self) -> dict[str, frozenset[str]]:
        return {word: frozenset(normal(text) for text in texts) for word, texts in self.words.items()}

    @cached_property
    def every_heading(self) -> frozenset[str]:
        """Every heading any table of this source may have."""
        return frozenset(text for table in self.tables for text in self.headings(table))

    @cached_property
    def group_label_fields(self) -> dict[str, str]:
        return {normal(label): field for field, labels in self.group_labels.items() for label in labels}


def read_yaml(path: Path) -> object:
    """A YAML file's content, by the C reader where it is there: ten times as fast."""
    return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


@lru_cache
def load_profile(source: str, folder: Path = SOURCES) -> Profile:
    """The profile of one source.

    Raises:
        ProfileError: there is none, or it names a field, word or record that does not exist.
    """
    path = folder / f"{source}.yaml"
    if not path.is_file():
        raise ProfileError(f"no profile {source!r}; there are: {', '.join(known_sources(folder))}")
    try:
        profile = Profile.model_validate(read_yaml(path))
    except ValueError as error:
        raise ProfileError(f"{path.name}: {error}") from error
    for name, table in profile.tables.items():
        _check(profile, path.name, name, table)
    return profile


def known_sources(folder: Path = SOURCES) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _check(profile: Profile, file: str, name: str, table: TableProfile) -> None:
    where = f"{file}: tables.{name}"
    if table.record not in RECORDS:
        raise ProfileError(f"{where}.record: no record {table.record!r}{_likely(table.record, RECORDS)}")
    fields = RECORDS[table.record].names()
    used = {*table.columns, *table.marks, *table.fill_down, *(f for group in table.must for f in group)}
    for field in sorted(used - fields - set(table.custom)):
        raise ProfileError(f"{where}: {table.record} has no field {field!r}{_likely(field, fields)}")
    words = {value for value in table.columns.values() if isinstance(value, str)} | set(table.never)
    for word in sorted(words - set(profile.words)):
        raise ProfileError(f"{where}: no word {word!r}{_likely(word, profile.words)}")
    if table.exclusion and table.exclusion not in profile.exclusions:
        raise ProfileError(f"{where}.exclusion: {table.exclusion!r} is not in `exclusions`")


def _likely(text: str, known: object) -> str:
    close = difflib.get_close_matches(text, list(known), 1)  # type: ignore[call-overload]
    return f"; did you mean {close[0]!r}?" if close else ""
