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
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from caseferry.canonical import sha256, to_json
from caseferry.mapping.layers import laid_over, read_yaml
from caseferry.mapping.profile import ProfileError, what_is_wrong
from caseferry.mapping.target import TARGETS
from caseferry.records.neutral import NEUTRAL

Format = Literal["csv", "vcard", "icalendar"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Cell(_Strict):
    """How one column of a file is filled.

    Each of `from` is a field, or a text with fields in braces (`Opened {opened_on}`), which is nothing where one of
    its fields is nothing. The first that is something is taken; with `with`, all that are something, joined.
    """

    from_: tuple[str, ...] = Field(default=(), alias="from")
    with_: str | None = Field(default=None, alias="with")
    parts: tuple[str, ...] = ()
    """Fields that keep their places although they are empty, joined by `;`: names and addresses of cards."""
    value: str | None = None
    values: dict[str, str] | None = None
    """Our word, or the source's, and what it is called in the target; capitals do not count. An empty map waits for the firm's
    own rules: until then the words are left out and counted."""
    otherwise: str | None = None
    """What a word that `values` does not name becomes. Without it the word is left out and counted."""
    empty: str | None = None
    """What stands where nothing is known. Counted too."""
    form: str | None = None
    """How days and moments are written, else as the file says; `yes/no` for what is true or not."""
    length: int | None = None
    bytes: int | None = None
    among: tuple[str, ...] = ()
    """The only words the target takes."""
    users: bool = False
    """The cell is an e-mail of `users`: what stands here is the id that user has in this target (`ids`)."""
    pattern: str | None = None
    raw: bool = False
    """The field is in the form of a card or calendar already: nothing is escaped."""
    digits: bool = False
    """Only the digits of the text are wanted."""
    without: str = ""
    """Characters the target does not take; each becomes a space."""
    required: bool = False
    unique: bool = False
    refers: tuple[str, ...] = ()
    """`file.Heading`: a line whose parent is in none of these columns waits with it."""

    by: str = ""
    """The field that holds the parent's key, where the text of the cell is a name: the line of that very parent has to be there."""

    @field_validator("from_", "refers", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    def fields(self) -> set[str]:
        """Every field it is made of."""
        return {name for text in (*self.from_, *self.parts) for name in fields_of(text)}


def fields_of(text: str) -> list[str]:
    """The fields a piece of `from` names."""
    if "{" not in text:
        return [text] if text else []
    return [name for _, name, _, _ in string.Formatter().parse(text) if name]


class MappedFile(_Strict):
    """One file the target takes."""

    of: str
    title: str
    order: int
    upload_as: str = ""
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


class Capability(_Strict):
    """Something a target can do, or can't, in words a firm understands."""

    can: bool
    says: str
    choices: tuple[str, ...] = ()
    """What a firm may decide where it can't."""


class NotHeld(_Strict):
    """Records the target has no place for."""

    says: str
    listed: bool = True
    """They lie in a file beside. Without it they are only where all records are: what a newsletter can't hold has no business beside it."""
    choices: tuple[str, ...] = ()


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
        if not (cell.fields() or cell.value is not None):
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
    for heading in sorted({one for group in spec.one_of for one in group} - set(spec.columns)):
        raise ValueError(f"files.{name}.one_of: there is no column {heading!r}")


def _writes(form: str) -> bool:
    """Whether a day can be written so."""
    try:
        return bool(pl.Series([datetime(2024, 5, 31)]).dt.strftime(form)[0])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False


def plainly(cell: Cell) -> str:
    """The rule of a column, in words for the field map."""
    said = []
    if cell.value is not None:
        said.append(f"always {cell.value!r}")
    elif cell.parts:
        said.append("together: " + ", ".join(text or "(empty)" for text in cell.parts))
    elif cell.with_ is not None:
        said.append("joined: " + " + ".join(cell.from_))
    elif len(cell.from_) > 1:
        said.append("the first that is there: " + ", ".join(cell.from_))
    else:
        said.append("as it is")
    if cell.values is not None:
        said.append("words mapped" + (f", any other becomes {cell.otherwise!r}" if cell.otherwise is not None else ", any other is left out and counted"))
    if cell.empty is not None:
        said.append(f"where nothing is known, {cell.empty!r}, counted")
    if cell.digits:
        said.append("digits only")
    if cell.without:
        said.append("characters it does not take become spaces")
    if cell.length or cell.bytes:
        said.append(f"at most {cell.length or cell.bytes} {'characters' if cell.length else 'bytes'}")
    if cell.among:
        said.append("one of: " + ", ".join(cell.among))
    if cell.required:
        said.append("required")
    if cell.unique:
        said.append("no two the same")
    return "; ".join(said)


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
