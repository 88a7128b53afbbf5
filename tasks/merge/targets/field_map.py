"""The field map: what becomes of every column of the export in every target, by which rule, for a person to approve.

It is drawn before a file is written. Its version is that of the rules alone, so whoever moves fifty firms by the same rules
approves them once.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from caseferry.canonical import to_json
from caseferry.choices import NEUTRAL_PACKAGE, Migration
from caseferry.errors import Question
from caseferry.keys import Run
from caseferry.manifest import PORTAL_MESSAGES, ColumnUse, Split, Table
from caseferry.mapping.cells import plainly
from caseferry.mapping.mapped import MappedTarget, version_of
from caseferry.mapping.target import load_target
from caseferry.services.store import put_all
from caseferry.tables import cells_of
from caseferry.workbooks import Workbook
from tasks import parts as cut
from tasks.journey import SAMPLES
from tasks.merge.targets.headings import heading_of
from tasks.merge.targets.traces import DECIDES, IN_BASE, IN_NEUTRAL, NEUTRAL_OF
from tasks.once import read_kept
from tasks.stage import Services

OUTCOMES = ("mapped", "custom_field", "archived", "dropped")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One column of the export, and what becomes of it in one target."""

    file: str
    sheet: str
    place: int
    column: str
    filled: int
    rows: int
    target: str
    becomes: str
    where: tuple[str, ...]
    rule: str
    decided: bool
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Filled:
    """One column of a target's file, and what it is filled from."""

    target: str
    file: str
    column: str
    made_of: str
    rule: str


@dataclass(frozen=True)
class FieldMap:
    version: str
    entries: tuple[Entry, ...]
    filled: tuple[Filled, ...]

    def counts(self) -> dict[str, dict[str, int]]:
        """Columns by target and outcome; each target's add up to all columns."""
        found: dict[str, dict[str, int]] = {}
        for entry in self.entries:
            line = found.setdefault(entry.target, dict.fromkeys(OUTCOMES, 0))
            line[entry.becomes] += 1
        return found

    def undecided(self) -> list[Entry]:
        """Columns with values that nobody knows and nobody decided about, each once."""
        first = next((entry.target for entry in self.entries), "")
        return [entry for entry in self.entries if entry.target == first and not entry.decided and entry.filled]


def draw_map(services: Services, run: Run, migration: Migration, split: Split) -> FieldMap:
    """Make `3-merge/field-map.json`, `.html` and `.xlsx`."""
    store = services.store
    quality: Any = read_kept(store, run.at("1-split", "quality.json"))
    filled = {line["table"]: [line["rows"] - column["empty"] for column in line["columns"]] for line in quality.get("tables", [])}
    targets = [migration.target_of(name) for name in migration.mapped]
    own = {f"{record}.{field}": words for (record, field), words in _own_words(migration).items() if words}
    version = version_of(migration.profile_of(split.source), load_target(migration.base), *(migration.rules_of(name) for name in migration.mapped), words=own)
    entries: list[Entry] = []
    texts = _texts(services, run, split)
    for table in split.tables:
        some = texts.get(table.id) if table.record != "excluded" else None
        samples = [tuple(one if migration.options.show_samples else _masked(one) for one in column) for column in some or [()] * len(table.columns)]
        for name in migration.targets:
            mapped = next((one for one in targets if one.target == name), None)
            for n, column in enumerate(table.columns):
                count = filled.get(table.id, [0] * len(table.columns))[n]
                becomes, where, rule = _fate(table, column, mapped)
                if words := own.get(f"{table.record}.{column.field}"):
                    rule += f"; in your own words: {', '.join(f'{said} → {meant}' for said, meant in sorted(words.items()))}"
                entries.append(Entry(
                    table.file, table.sheet, column.place + 1, column.heading, count, sum(table.part_rows), name, becomes, tuple(where), rule,
                    column.use != "archive_only" or column.decided or table.record == "excluded", samples[n],
                ))  # fmt: skip
    made = FieldMap(version, tuple(entries), tuple(_filled(targets)))
    keys = [run.at("3-merge", f"field-map.{form}") for form in ("json", "html", "xlsx")]
    body = to_json({"version": version, "counts": made.counts(), "columns": [asdict(entry) for entry in made.entries], "targets": [asdict(one) for one in made.filled]})
    put_all(store, zip(keys, [body, _html(made, migration, split), _xlsx(made)], strict=True))
    return made


def _own_words(migration: Migration) -> dict[tuple[str, str], dict[str, Any]]:
    """The firm's own words for the values of a field. They change what is written, so whoever approves a map approves them."""
    maps = migration.options.value_maps
    return {("matter", "status"): dict(migration.options.status_map), ("matter", "matter_type"): maps.get("type", {}), ("contact", "country"): maps.get("country", {})}


def _where_trust_stays(migration: Migration, split: Split, targets: list[MappedTarget]) -> Iterator[Question]:
    """Clients' money goes to no target that keeps no trust ledger: where its record stays, somebody has to say first."""
    rows = sum(table.lines.get("data", 0) for table in split.tables if table.record == "trust")
    if not rows or migration.options.trust_stays or migration.base != NEUTRAL_PACKAGE:
        return  # there is none, it is decided, or a target of the same run takes it
    for target in targets:
        spec = target.not_held.get("trust_balances")
        if spec and spec.choices and not migration.options.decisions.get(f"{target.target}.trust_balances"):
            found = f"{rows} rows of trust balances; {spec.says} One of: {', '.join(spec.choices)}"
            yield Question("CF-151", f"target {target.title}", found, f"options.decisions.{target.target}.trust_balances")


def _where_the_portal_stays(migration: Migration, split: Split, targets: list[MappedTarget]) -> Iterator[Question]:
    """A portal's messages and shares have no place in a target without a portal: what becomes of them, somebody has to say first."""
    rows, where = sum(one.count for one in split.portal), ", ".join(one.where for one in split.portal[:5])
    for target in targets if rows else ():
        spec = target.capabilities["client_portal"]
        if not spec.can and spec.choices and not migration.options.decisions.get(f"{target.target}.{PORTAL_MESSAGES}"):
            found = f"{rows} rows or files ({where}); {spec.says} One of: {', '.join(spec.choices)}"
            yield Question("CF-153", f"target {target.title}", found, f"options.decisions.{target.target}.{PORTAL_MESSAGES}")


def _to_give(split: Split, targets: list[MappedTarget]) -> Iterator[Question]:
    """What only the firm's account can tell, and nobody has: ids are never made up."""
    filled = {name for table in split.tables if table.lines.get("data") for name in NEUTRAL_OF.get(table.record, ())}
    filled |= {"contacts"} if "matters" in filled else set()  # clients without a card
    for target in targets:
        for name, heading, cell in target.to_give():
            spec = target.files[name]
            if cell.value is None and spec.of in filled:
                where = f"rules.targets.{target.target}.files.{name}.columns.{heading}.value"
                yield Question("CF-152", f"target {target.title}", f"{name} › {heading}: {cell.given}", where)


def _filled(targets: list[MappedTarget]) -> Iterator[Filled]:
    """Each target the other way round: every column of its files, constants and the firm's own rules too."""
    for target in targets:
        for name, spec in sorted(target.files.items(), key=lambda one: one[1].order):
            for heading, cell in spec.columns.items():
                made_of = "" if cell.value is not None or cell.given else ", ".join(cell.from_ or cell.parts)
                words = "; ".join(f"{word} → {theirs}" for word, theirs in (cell.values or {}).items())
                yield Filled(target.target, name, heading, made_of, plainly(cell) + (f" ({words})" if words else ""))
            if spec.custom_fields:
                yield Filled(target.target, name, spec.custom_fields, "custom fields", "one column for each that has values")


def ask_map(made: FieldMap, migration: Migration, split: Split) -> Iterator[Question]:
    """What has to be said before a file is written: decisions, columns nobody decided about, the map's approval."""
    if not migration.wants_approval:
        return
    targets = [migration.target_of(name) for name in migration.mapped]
    yield from _where_trust_stays(migration, split, targets)
    yield from _where_the_portal_stays(migration, split, targets)
    yield from _to_give(split, targets)
    undecided = made.undecided()
    if undecided and migration.options.unknown_columns == "ask":
        told = "; ".join(f"{entry.file} › {entry.column}" for entry in undecided[:10]) + (f"; and {len(undecided) - 10} more" if len(undecided) > 10 else "")
        yield Question("CF-148", "field map", f"{len(undecided)} columns nobody decided about: {told}", "rules.source")
    approved = migration.approved_map
    if approved is None or approved.version != made.version:
        told = f"version {made.version} is not approved" + (f"; {approved.version} was" if approved else "")
        yield Question("CF-147", "field map", told, "approved_map")


def _fate(table: Table, column: ColumnUse, target: MappedTarget | None) -> tuple[str, list[str], str]:
    """What becomes of a column, where its values go, and by which rule."""
    if column.use == "ignored":
        return "dropped", [], "left out by name" if not column.field else "accounts of this region have no such field"
    if table.record == "excluded":
        return "archived", [], "the whole list is not taken"
    if column.use == "archive_only":
        return "archived", [], "kept in the archive by decision" if column.decided else "nobody knows this column"
    if column.use == "custom_field":
        return _custom(table.record, column.field, target) if target is not None else ("custom_field", [column.field], "custom field")
    if target is None:
        return _in_base(table.record, column.field)
    return _in_mapped(table.record, column.field, target)


def _in_base(record: str, field: str) -> tuple[str, list[str], str]:
    where = IN_BASE.get(record, {}).get(field, ())
    if not where:
        return "archived", [], "used to bring records together, and kept in the archive"
    is_custom = all(place.startswith("custom field") for place in where)
    return "custom_field" if is_custom else "mapped", list(where), "read and written in the account's form"


def _in_mapped(record: str, field: str, target: MappedTarget) -> tuple[str, list[str], str]:
    """What becomes of a column that feeds a field: its value stands in a column of a file, or decides one, or stays in the archive."""
    neutral = set(IN_NEUTRAL.get(record, {}).get(field, (field,)))
    where, rules = _columns_of(target, neutral, NEUTRAL_OF.get(record, ()))
    if where:
        return "mapped", where, "; ".join(dict.fromkeys(rules))
    names = [one.removeprefix("custom:") for one in sorted(neutral) if one.startswith("custom:")]
    if names:
        return _custom(record, names[0], target)
    decided = set(DECIDES.get(record, {}).get(field, ()))
    where, _ = _columns_of(target, decided, tuple({*NEUTRAL_OF.get(record, ()), "contacts"}))
    told = f"it decides {', '.join(where)}; its own value stays in the archive" if where else ""
    return "archived", [], told or _why_not(record, target)


def _columns_of(target: MappedTarget, fields: set[str], kinds: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The target's columns that are made of some fields of some records, and their rules."""
    where, rules = [], []
    for name, spec in sorted(target.files.items(), key=lambda one: one[1].order):
        if spec.of not in kinds:
            continue
        only = " and ".join(f"{field} is {' or '.join(words)}" for field, words in spec.where.items())
        for heading, cell in spec.columns.items():
            if fields & cell.fields():
                where.append(f"{name} › {heading}" + (f" (where {only})" if only else ""))
                rules.append(plainly(cell))
    return where, rules


def _custom(record: str, name: str, target: MappedTarget) -> tuple[str, list[str], str]:
    """What becomes of a custom field."""
    files = [(file, spec) for file, spec in target.files.items() if spec.of in NEUTRAL_OF.get(record, ())[:1] and spec.custom_fields]
    if files:
        return "custom_field", [f"{file} › {heading_of(spec.custom_fields, name)}" for file, spec in files], "custom field"
    of = NEUTRAL_OF.get(record, ("",))[0]
    if target.lists_custom_fields and (of not in target.not_held or target.not_held[of].listed):
        return "archived", [], f"no file of {target.title} has a column for it: its values lie in a list beside"
    return "archived", [], f"no column of {target.title} takes it; it stays in the archive"


def _why_not(record: str, target: MappedTarget) -> str:
    kinds = NEUTRAL_OF.get(record, ())
    if any(spec.of in kinds for spec in target.files.values()):
        return f"no column of {target.title} takes it; it stays in the archive"
    if any(target.not_held[kind].listed for kind in kinds if kind in target.not_held):
        return f"{target.title} has no place for these records; they lie in a file beside"
    return f"{target.title} has no place for these records; only the files that hold everything have them"


def _texts(services: Services, run: Run, split: Split) -> dict[str, Any]:
    """The first different values of each column, by table."""
    store = services.store
    try:
        return read_kept(store, run.home + SAMPLES)
    except KeyError:  # an earlier version has cut the lists
        shown = [table for table in split.tables if table.parts]
        parts = cut.cells(store, run, [table.parts[-1] for table in shown])
        return {table.id: cut.samples(cells_of(part), [c.place for c in table.columns]) for table, part in zip(shown, parts, strict=True)}


def _masked(text: str) -> str:
    return "".join(_MASKS.get(unicodedata.category(letter), letter) for letter in text)


_MASKS = {"Lu": "A", "Ll": "a", "Lo": "a", "Lt": "a", "Lm": "a", "Nd": "9", "Cn": "a", "Co": "a"}
"""What stands for a letter or a digit, by its category; for what this Python does not know too: it may be a newer letter."""


@cache
def _template() -> Template:
    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("field_map.html.j2")


def _html(made: FieldMap, migration: Migration, split: Split) -> bytes:
    by_list: dict[tuple[str, str], dict[int, list[Entry]]] = {}
    for entry in made.entries:
        by_list.setdefault((entry.file, entry.sheet), {}).setdefault(entry.place, []).append(entry)
    return _template().render(version=made.version, lists=by_list, counts=made.counts(), filled=made.filled, product=split.product, targets=migration.targets,
                              firm=migration.firm_name, undecided=len(made.undecided()), masked=not migration.options.show_samples).encode()  # fmt: skip


def _xlsx(made: FieldMap) -> bytes:
    book = Workbook(f"Field map {made.version}", _WIDTH)
    book.add("Field map", _HEADER, _rows(made))
    book.add("Target columns", ("Target", "File", "Column", "Made of", "Rule", "Right? Else what?"), _filled_rows(made))
    book.add("Counts", ("Target", "Columns", *OUTCOMES), _count_rows(made))
    return book.done()


_WIDTH = 24
_HEADER = ("File", "Sheet", "Column", "Filled", "Rows", "Target", "Becomes", "Where", "Rule", "Decided", "Samples", "Right? Else what?")


def _rows(made: FieldMap) -> Iterator[tuple[Any, ...]]:
    for e in made.entries:
        yield (e.file, e.sheet, e.column, e.filled, e.rows, e.target, e.becomes.replace("_", " "), "\n".join(e.where), e.rule, "yes" if e.decided else "NO", "\n".join(e.samples), "")


def _filled_rows(made: FieldMap) -> Iterator[tuple[Any, ...]]:
    for one in made.filled:
        yield (one.target, one.file, one.column, one.made_of, one.rule, "")


def _count_rows(made: FieldMap) -> Iterator[tuple[Any, ...]]:
    for target, counts in made.counts().items():
        yield (target, sum(counts.values()), *(counts[outcome] for outcome in OUTCOMES))
