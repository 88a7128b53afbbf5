"""What a source profile may say: `config/sources/*.yaml`, checked when it is loaded.

A profile names every table a system exports by its headings, and the record each becomes. One that is `like` another
says only what is different: its headings go before the other's, and a table of `null` is not there.
"""

import difflib
import json
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from caseferry.mapping.headings import normal
from caseferry.mapping.layers import laid_over, read_yaml
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


class Joined(_Strict):
    """Columns that make one field together, in this order: a client's number and that of the client's matter."""

    headings: tuple[str, ...]
    between: str = "-"


class TableProfile(_Strict):
    """One table of a source: how it is told, and what its columns mean."""

    record: str
    about: str = ""
    evidence: tuple[str, ...] = ()
    """Headings of which at least two have to be there: a table that other systems have too is told by its own words."""
    exclusion: str = ""
    columns: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    joined: dict[str, Joined] = Field(default_factory=dict)
    """Fields that several columns make together. A column that stands in `columns` too has that meaning beside."""
    matter_by: Literal["number", "id"] = "number"
    """What the column of matters names them by: their number, or the `source_id` of the matter list."""
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
    """Columns that are dropped by decision."""
    archive: tuple[str, ...] = ()
    """Columns that stay in the archive by decision. Those nobody decided about stay there too, and are asked about."""
    credit: Literal["positive", "negative"] = "negative"
    """What `CR` behind an amount means here."""


class Exclusion(_Strict):
    title: str
    requirement: str
    todo: str = ""


class Portal(_Strict):
    """Words that tell messages and shares of a client portal."""

    names: tuple[str, ...] = ()
    """Of a file, a sheet or a folder. One of several words may be part of the name, a single one has to be all of it."""
    headings: tuple[str, ...] = ()
    """Of a list's columns, to the letter."""
    never: tuple[str, ...] = ()
    """Words of names that mean something else, such as who may log in."""


class Profile(_Strict):
    """A source system."""

    source: str
    product: str
    like: str = ""
    """The profile it goes on from."""
    version: int = 1
    """Goes up with every layout that was learnt anew."""
    layouts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The header of a table as this version knows it: an export that differs is told as changed."""
    evidence: tuple[str, ...] = ()
    """Headings that only this system writes. A profile that is like another is taken if one of them is there."""
    words: dict[str, tuple[str, ...]]
    tables: dict[str, TableProfile]
    not_ours: tuple[tuple[str, ...], ...] = ()
    """Lists that are to be left unread, each by all of its headings: they are named as unknown, and nothing is taken for them."""
    custom_sets: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Regions in which a set of custom fields exists; a set not named here exists everywhere."""
    variants: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Wording by which a regional version gives itself away."""
    statuses: dict[Literal["Open", "Closed", "Pending"], tuple[str, ...]] = Field(default_factory=dict)
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
    money_beside: dict[Literal["trust", "receivable", "always"], tuple[str, ...]] = Field(default_factory=dict)
    """Columns of amounts that are left behind because a list of its own has them: told where there is no such list."""
    bills_on: bool = False
    """The firm goes on billing in it while it moves: open invoices are taken at a month's end, or when a person says so."""
    parted_by: str = ""
    """What stands between a client and a matter of theirs where one cell names both: the colon of `Smith, John:24-0012`."""
    footers: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    """What the profile takes for given and nobody has confirmed; the report says it."""
    compliance_words: tuple[str, ...] = ()
    """Words by which a task, an event or a document belongs to what a supervisor asks for: each is signed for one by one."""
    portal: Portal = Portal()
    connected: dict[str, str] = Field(default_factory=dict)
    """Other systems by a word of the headings that hold their ids, and what they are: to be connected again."""
    expect: dict[str, int] = Field(default_factory=dict)
    """Tables without which an export is not whole, and the fewest rows of each."""
    hoped: tuple[str, ...] = ()
    """Tables, or `document`, that most exports hold: one that is missing is named."""
    export_steps: str = ""
    exclusions: dict[str, Exclusion] = Field(default_factory=dict)
    _aliases: dict[str, dict[str, str]] = PrivateAttr(default_factory=dict)
    _meanings: dict[str, dict[str, frozenset[str]]] = PrivateAttr(default_factory=dict)

    def headings(self, table: str) -> dict[str, str]:
        """Normal heading → field (or `custom:<name>`, `leave:` or `archive:`) of one table."""
        if table not in self._aliases:
            spec = self.tables[table]
            found: dict[str, str] = {}
            for field, value in spec.columns.items():
                for heading in self.words[value] if isinstance(value, str) else value:
                    found.setdefault(normal(heading), field)
            for field, joined in spec.joined.items():
                for heading in joined.headings:
                    found.setdefault(normal(heading), field)
            for name, custom in spec.custom.items():
                own = () if spec.record == "excluded" else (name,)  # nothing is made of those: their names are ours
                for heading in (*own, *custom.headings):
                    found.setdefault(normal(heading), f"custom:{name}")
            for rule, headings in (("leave:", spec.leave), ("archive:", spec.archive)):
                for heading in headings:
                    found.setdefault(normal(heading), rule)
            for heading, use in list(found.items()):
                found.setdefault(heading.replace(" ", ""), use)  # FirstName, and FIRSTNAME of old tables
            self._aliases[table] = found
        return self._aliases[table]

    def cut_off(self, table: str, heading: str) -> str:
        """The normal heading that a name of ten capitals is the beginning of, as old tables cut them; nothing if it may be several."""
        if len(heading) != 10 or not heading.isupper():
            return ""
        begins = normal(heading).replace(" ", "")
        found = {field: name for name, field in self.headings(table).items() if name.replace(" ", "").startswith(begins)}
        return next(iter(found.values())) if len(found) == 1 else ""

    def second_field(self, table: str, heading: str) -> str:
        """Another field that lists a normal heading too: it is meant where the first has a column of its own. Else nothing."""
        first = self.headings(table).get(heading, "")
        if table not in self._meanings:
            spec = self.tables[table]
            columns = {field: self.words[value] if isinstance(value, str) else value for field, value in spec.columns.items()}
            listed = {**columns, "leave:": spec.leave, "archive:": spec.archive}
            self._meanings[table] = {use: frozenset(map(normal, headings)) for use, headings in listed.items()}
        return next((use for use, headings in self._meanings[table].items() if use != first and heading in headings), "")

    @cached_property
    def normal_words(self) -> dict[str, frozenset[str]]:
        return {word: frozenset(normal(text) for text in texts) for word, texts in self.words.items()}

    @cached_property
    def portal_headings(self) -> frozenset[str]:
        return frozenset(map(normal, self.portal.headings))

    def portal_word(self, name: str) -> str:
        """The words by which a file, sheet or folder is a client portal's; nothing for most."""
        said = normal(name)
        if any(_is_in(normal(word), said) for word in self.portal.never):
            return ""
        return next((word for word in self.portal.names if normal(word) == said or (" " in normal(word) and _is_in(normal(word), said))), "")

    @cached_property
    def every_heading(self) -> frozenset[str]:
        """Every heading any table of this source may have."""
        return frozenset(text for table in self.tables for text in self.headings(table))

    @cached_property
    def group_label_fields(self) -> dict[str, str]:
        return {normal(label): field for field, labels in self.group_labels.items() for label in labels}


@lru_cache
def load_profile(source: str, folder: Path = SOURCES, rules: str = "") -> Profile:
    """The profile of one source.

    Args:
        rules: a firm's own rules over it, as `as_key` writes them.

    Raises:
        ProfileError: there is none, or it names a field, word or record that does not exist.
    """
    try:
        said = _whole(source, folder, ()) | {"source": source}  # a file that was renamed has its new name
        profile = Profile.model_validate(laid_over(_yielding(said, json.loads(rules)), json.loads(rules)) if rules else said)
    except ProfileError:
        raise
    except ValueError as error:
        raise ProfileError(f"{source}.yaml: {what_is_wrong(error)}") from error
    for name in sorted(set(profile.layouts) - set(profile.tables)):
        raise ProfileError(f"{source}.yaml: layouts.{name}: there is no such table")
    for name, table in profile.tables.items():
        _check(profile, f"{source}.yaml", name, table)
    return profile


def what_is_wrong(error: ValueError) -> str:
    """What is wrong where, without what stands there."""
    if not isinstance(error, ValidationError):
        return str(error)
    told = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(": ".join(filter(None, (".".join(map(str, one["loc"])), _in_words(one["type"], one["msg"], one["loc"])))) for one in told[:5])


def _in_words(kind: str, message: str, where: tuple[int | str, ...]) -> str:
    """What is wrong, for a person who writes YAML."""
    if kind == "extra_forbidden":
        return "there is no such word here"
    if kind == "string_type":
        return "it has to be text; put quotes round yes, no, on, off and numbers"
    if kind == "missing":
        return "it is missing"
    return message.removeprefix("Value error, ")


def _whole(source: str, folder: Path, before: tuple[str, ...]) -> dict[str, Any]:
    """What a profile says, with what it takes over from the one it is like."""
    path = _path_of(source, folder)
    if not path.is_file():
        raise ProfileError(f"no profile {source!r}; there are: {', '.join(known_sources(folder))}")
    if source in before:
        raise ProfileError(f"{before[0]}.yaml: it is like itself, by way of {', '.join(before[1:]) or source}")
    try:
        content = read_yaml(path)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ProfileError(f"{path.name}: it is not YAML" + (f", line {mark.line + 1}" if mark else "")) from None
    if not isinstance(content, dict):
        raise ProfileError(f"{path.name}: it is no mapping")
    said: dict[str, Any] = content
    if said.get("like"):
        own = {"evidence": [], "layouts": {}, "version": 1}
        said = laid_over(_yielding(_whole(str(said["like"]), folder, (*before, source)), said) | own, said)
    return said


def _also(ours: dict[str, list[Any]], word: object) -> list[str]:
    """Every field above that names a heading."""
    return [field for field, words in ours.items() if normal(str(word)) in {normal(str(one)) for one in words}]


def _yielding(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """What is below, without the headings that mean another field above."""
    tables: dict[str, Any] = dict(below.get("tables") or {})
    for name, table in (above.get("tables") or {}).items():
        theirs = tables.get(name)
        if not isinstance(table, dict) or not isinstance(theirs, dict):
            continue
        ours = {field: words for field, words in (table.get("columns") or {}).items() if isinstance(words, list)}
        ours |= {f"custom:{name}": [name, *(custom or {}).get("headings", ())] for name, custom in (table.get("custom") or {}).items()}
        ours |= {rule: table.get(rule) or [] for rule in ("leave", "archive")}
        claimed = {normal(str(word)): field for field, words in ours.items() for word in words}
        columns = {
            field: [word for word in words if field in (claimed.get(normal(str(word)), field), *_also(ours, word))] if isinstance(words, list) else words
            for field, words in (theirs.get("columns") or {}).items()
        }
        tables[name] = theirs | {"columns": columns}
    return below | {"tables": tables}


@lru_cache
def known_evidence(folder: Path = SOURCES) -> dict[str, frozenset[str] | None]:
    """The headings by which each source gives itself away; nothing for those that are like no other, which need none."""
    found: dict[str, frozenset[str] | None] = {}
    for source in known_sources(folder):
        said: Any = read_yaml(_path_of(source, folder))
        is_like = isinstance(said, dict) and said.get("like")
        found[source] = frozenset(normal(str(heading)) for heading in said.get("evidence", ())) if is_like else None
    return found


def known_sources(folder: Path = SOURCES) -> list[str]:
    """Ours, and what of the YAML in a folder of one's own is a profile: anything may lie beside a draft."""
    return sorted({*(path.stem for path in folder.glob("*.yaml")), *(path.stem for place in _OWN for path in place.glob("*.yaml") if _is_profile(path))})


def _is_profile(path: Path) -> bool:
    try:
        said = read_yaml(path)
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return False
    return isinstance(said, dict) and "source" in said and ("tables" in said or "like" in said)


_OWN: list[Path] = []


def look_in(folder: Path) -> None:
    """Look for profiles in this folder too, and there first."""
    if folder not in _OWN:
        _OWN.insert(0, folder)
    load_profile.cache_clear()
    known_evidence.cache_clear()


def _path_of(source: str, folder: Path) -> Path:
    return next((path for place in (*_OWN, folder) if (path := place / f"{source}.yaml").is_file()), folder / f"{source}.yaml")


def _is_in(words: str, name: str) -> bool:
    """Whether a name says the words, also written together: `ClientPortalMessages`."""
    return f" {words} " in f" {name} " or any(word.startswith(words.replace(" ", "")) for word in name.split())


def _check(profile: Profile, file: str, name: str, table: TableProfile) -> None:
    where = f"{file}: tables.{name}"
    if table.record not in RECORDS:
        raise ProfileError(f"{where}.record: no record {table.record!r}{_likely(table.record, RECORDS)}")
    fields = RECORDS[table.record].names()
    used = {*table.columns, *table.joined, *table.marks, *table.fill_down, *(f for group in table.must for f in group)}
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
