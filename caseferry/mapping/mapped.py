"""What a mapped target may say: a file of `config/targets/` whose files are made from our neutral records.

Every kind of neutral record is either the source of a file, or listed in `not_held` with the reason: a target that
forgets one does not load. A mapping may be `like` another, and a firm may lay its own rules over it.
"""

import json
import string
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from caseferry.canonical import sha256, to_json
from caseferry.mapping.cells import Cell
from caseferry.mapping.layers import laid_over, read_yaml
from caseferry.mapping.profile import ProfileError, what_is_wrong
from caseferry.mapping.target import TARGETS, Capability
from caseferry.records.neutral import NEUTRAL

Format = Literal["csv", "vcard", "icalendar"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Load(_Strict):
    """How a file is loaded, for the programs that do it: the load plan beside the files says so of each."""

    object: str
    operation: Literal["insert", "upsert"]
    key: str
    """The column that holds our key: what an upsert goes by, and what tells the rows of a result, which come in any order."""


class Limits(_Strict):
    """What the target holds at most, wherever it is written: characters of a cell, of a line, of a header, and columns."""

    cell: int | None = Field(default=None, gt=0)
    line: int | None = Field(default=None, gt=0)
    header: int | None = Field(default=None, gt=0)
    columns: int | None = Field(default=None, gt=0)


class CustomTypes(_Strict):
    """How values of typed custom fields are written; fields of a type that is not named here are text."""

    date: str = ""
    currency: Literal["", "plain"] = ""
    numeric: Literal["", "plain"] = ""
    checkbox: str = ""
    """`yes/no`, in the target's words."""


class MappedFile(_Strict):
    """One file the target takes."""

    of: str
    title: str
    order: int
    upload_as: str = ""
    load: Load | None = None
    format: Format = "csv"
    """In cards and calendars the columns are properties: `+` before one says its cells are whole lines, `*` that they hold its
    parameters too."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Field and the words it must be one of; `present` and `absent` are what they say."""
    columns: dict[str, Cell]
    one_of: tuple[tuple[str, ...], ...] = ()
    """Of each group at least one column has to be filled."""
    custom_fields: str = ""
    """How the heading of a custom field's column is written, with `{name}` or `{api}` in it; without it they go to a file beside."""
    rows: int | None = Field(default=None, gt=0)
    bytes: int | None = Field(default=None, gt=0)
    """The most lines, and bytes, of a file: what is more goes into another."""
    reference: bool = False
    """Nothing the target imports: a list for people."""


class NotHeld(_Strict):
    """Records the target has no place for."""

    says: str
    listed: bool = True
    """They lie in a file beside. Without it they are only where all records are: what a newsletter can't hold has no business beside it."""
    choices: tuple[str, ...] = ()
    does: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What a choice changes in the target, as rules laid over it; the others are only kept and told."""


CAPABILITIES = ("trust", "client_portal", "matters", "custom_fields", "notes_deletable", "undo", "documents")


class MappedTarget(_Strict):
    """A target whose files are made from our neutral records."""

    target: str
    title: str
    support: str
    like: str = ""
    maps: Literal["neutral"]
    encoding: Literal["utf-8", "utf-8-sig"] = "utf-8"
    line_ending: str = "\r\n"
    days: str = "%Y-%m-%d"
    moments: str = "%Y-%m-%dT%H:%M:%SZ"
    approval: bool = True
    """A person has to approve the field map before a file is released."""
    counts: Literal["characters", "utf16"] = "characters"
    """How it counts the length of a text: in UTF-16 an emoji is two."""
    never: tuple[str, ...] = ()
    """Texts that mean something else there: a cell that says one is left empty, and listed."""
    limits: Limits = Limits()
    custom_types: CustomTypes = CustomTypes()
    makes: str = ""
    """How headings end that the firm has to make in the target first."""
    lists_custom_fields: bool = True
    """Values of custom fields that no file has a column for lie in a list beside."""
    plan: str = ""
    """How long such a move takes, as its own documents say."""
    capabilities: dict[Literal["trust", "client_portal", "matters", "custom_fields", "notes_deletable", "undo", "documents"], Capability]
    files: dict[str, MappedFile]
    not_held: dict[str, NotHeld] = Field(default_factory=dict)
    todo: tuple[str, ...] = ()

    def to_give(self) -> list[tuple[str, str, Cell]]:
        """What only the firm's account can tell, as file, heading and cell."""
        return [(name, heading, cell) for name, spec in self.files.items() for heading, cell in spec.columns.items() if cell.given]

    def without_given(self) -> "MappedTarget":
        """Its rules without what is one account's own: those a person approves for however many."""
        files = {
            name: spec.model_copy(update={"columns": {heading: cell.model_copy(update={"value": None}) if cell.given else cell for heading, cell in spec.columns.items()}})
            for name, spec in self.files.items()
        }  # fmt: skip
        return self.model_copy(update={"files": files})

    @model_validator(mode="after")
    def _is_whole(self) -> "MappedTarget":
        held = {spec.of for spec in self.files.values()}
        for name in sorted(held | set(self.not_held)):
            if name not in NEUTRAL:
                raise ValueError(f"there is no {name!r} to map; there are: {', '.join(NEUTRAL)}")
        if missing := sorted(set(NEUTRAL) - held - set(self.not_held)):
            raise ValueError(f"it does not say what becomes of: {', '.join(missing)}; give each a file, or name it in not_held")
        if lacking := sorted(set(CAPABILITIES) - set(self.capabilities)):
            raise ValueError(f"it does not say whether it can: {', '.join(lacking)}")
        orders = [spec.order for spec in self.files.values()]
        if twice := sorted({order for order in orders if orders.count(order) > 1}):
            raise ValueError(f"two files have the order {', '.join(map(str, twice))}")
        if taken := sorted({"waiting", "not_held", "left_out", "custom_fields"} & set(self.files)):
            raise ValueError(f"files: {', '.join(taken)} is the name of a list beside the files; choose another")
        for name, spec in self.files.items():
            _check(self, name, spec)
        for name, one in self.not_held.items():
            if odd := sorted(set(one.does) - set(one.choices)):
                raise ValueError(f"not_held.{name}.does: {', '.join(odd)} is none of its choices")
        return self


_WORDS = {"kind": {"person", "company"}, "client_kind": {"person", "company"}, "contact_kind": {"person", "company"}}
"""Fields with few words."""


def _check(target: MappedTarget, name: str, spec: MappedFile) -> None:
    fields = NEUTRAL[spec.of].fields
    if spec.custom_fields and not {text for _, text, _, _ in string.Formatter().parse(spec.custom_fields) if text} & {"name", "api"}:
        raise ValueError(f"files.{name}.custom_fields: write the field's name in it, as {{name}} or {{api}}")
    if odd := {text for _, text, _, _ in string.Formatter().parse(spec.custom_fields) if text} - {"name", "api"}:
        raise ValueError(f"files.{name}.custom_fields: it knows {{name}} and {{api}}, not {', '.join(sorted(odd))}")
    for field, words in spec.where.items():
        known = {"yes", "no"} if fields.get(field) == "flag" else _WORDS.get(field)
        if known and (odd_words := set(words) - known - {"present", "absent"}):
            raise ValueError(f"files.{name}.where.{field}: {', '.join(sorted(odd_words))}: it can only be {', '.join(sorted(known))}, present or absent")
    for heading, cell in spec.columns.items():
        for field in sorted(cell.fields() - set(fields)):
            raise ValueError(f"files.{name}.columns.{heading}: {spec.of} has no field {field!r}")
        for refers in cell.refers:
            parent, _, column = refers.partition(".")
            if parent not in target.files or column not in target.files[parent].columns:
                raise ValueError(f"files.{name}.columns.{heading}.refers: there is no {refers!r}")
        if cell.by and cell.by not in fields:
            raise ValueError(f"files.{name}.columns.{heading}.by: {spec.of} has no field {cell.by!r}")
        if len([1 for one in (cell.from_, cell.parts, cell.value) if one]) > 1:
            raise ValueError(f"files.{name}.columns.{heading}: it is filled in two ways; take one away with null (value, from or parts)")
        if cell.value and cell.pattern and not _fits(cell.value, cell.pattern):
            raise ValueError(f"files.{name}.columns.{heading}: {cell.value!r} is not of the form the target takes ({cell.pattern})")
        if not (cell.fields() or cell.value is not None or cell.given):
            raise ValueError(f"files.{name}.columns.{heading}: it is filled from nothing")
    for field in sorted(set(spec.where) - set(fields)):
        raise ValueError(f"files.{name}: {spec.of} has no field {field!r}")
    for field in spec.where:
        if fields[field] not in {"text", "flag"} and set(spec.where[field]) - {"present", "absent"}:
            raise ValueError(f"files.{name}.where.{field}: it can only be present or absent")
    for heading, cell in spec.columns.items():
        if cell.pattern is not None:
            try:
                pl.Series([""]).str.contains(cell.pattern)
            except pl.exceptions.PolarsError:
                raise ValueError(f"files.{name}.columns.{heading}.pattern: it is no regular expression of the RE2 kind") from None
        for form in filter(None, (cell.form, *(given for text in cell.from_ if "{" in text for _, _, given, _ in string.Formatter().parse(text)))):
            if "%" in form and not _writes(form):
                raise ValueError(f"files.{name}.columns.{heading}: {form!r} is no form of a day")
    if spec.load and spec.load.key not in spec.columns:
        raise ValueError(f"files.{name}.load.key: there is no column {spec.load.key!r}")
    for heading in sorted({one for group in spec.one_of for one in group} - set(spec.columns)):
        raise ValueError(f"files.{name}.one_of: there is no column {heading!r}")


def _fits(value: str, pattern: str) -> bool:
    try:
        return bool(pl.Series([value]).str.contains(pattern)[0])
    except pl.exceptions.PolarsError:
        return True  # of the pattern another message tells


def _writes(form: str) -> bool:
    """Whether a day can be written so."""
    try:
        return bool(pl.Series([datetime(2024, 5, 31)]).dt.strftime(form)[0])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False


_OWN: list[Path] = []


def look_in(folder: Path) -> None:
    """Look for targets in this folder too, and there first."""
    if folder not in _OWN:
        _OWN.insert(0, folder)
    load_mapped.cache_clear()
    is_mapped.cache_clear()


def known_targets(folder: Path = TARGETS) -> list[str]:
    return sorted({path.stem for place in (*_OWN, folder) for path in place.glob("*.yaml")})


@lru_cache
def is_mapped(name: str, folder: Path = TARGETS) -> bool:
    """True for a target that is made from neutral records; the others have a layout of their own."""
    return "maps" in _said(name, folder, ())


@lru_cache
def load_mapped(name: str, folder: Path = TARGETS, rules: str = "") -> MappedTarget:
    """One mapped target.

    Args:
        rules: a firm's own rules over it, as `as_key` writes them.

    Raises:
        ProfileError: there is none, or it says what it may not.
    """
    said = _said(name, folder, ())
    try:
        return MappedTarget.model_validate(laid_over(said, json.loads(rules), "replaced") if rules else said)
    except ValueError as error:
        raise ProfileError(f"{name}.yaml: {what_is_wrong(error)}") from error


def _said(name: str, folder: Path, before: tuple[str, ...]) -> dict[str, Any]:
    """What a target says, with what it takes over from the one it is like."""
    path = next((one for place in (*_OWN, folder) if (one := place / f"{name}.yaml").is_file()), folder / f"{name}.yaml")
    if not path.is_file() or name in before:
        known = ", ".join(known_targets(folder))
        raise ProfileError(f"{before[0]}.yaml: it is like itself" if name in before else f"no target {name!r}; there are: {known}")
    try:
        said: Any = read_yaml(path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ProfileError(f"{path.name}: it is not YAML" + (f", line {mark.line + 1}" if mark else "")) from None
    if not isinstance(said, dict):
        raise ProfileError(f"{path.name}: it is no mapping")
    if said.get("like"):
        return laid_over(_said(str(said["like"]), folder, (*before, name)), said, "replaced")
    return said


def version_of(*models: BaseModel, words: Mapping[str, object] | None = None) -> str:
    """Twelve figures that change with any rule.

    Args:
        words: the firm's own words for values, if it has any.
    """
    rules = [model.model_dump(mode="json", by_alias=True) for model in models]
    return sha256(to_json([*rules, words] if words else rules))[:12]
