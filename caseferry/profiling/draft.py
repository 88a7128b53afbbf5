"""A profile proposed for an export no profile explains: what each list may be, what each column may mean, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from caseferry.mapping.headings import normal
from caseferry.profiling.columns import MOSTLY, Column, describe
from caseferry.profiling.words import is_known, likenesses, words_in
from caseferry.reading.grid import ROW
from caseferry.reading.lists import Spooled
from caseferry.records import RECORDS, Type

_LOOKED_AT = 100_000
"""Rows of a list that are looked at."""
_DEEPEST = 30
_NEEDS = {
    "contact": (("last_name", "company", "display_name", "first_name"),),
    "matter": (("number", "description"), ("client", "status", "opened_on", "responsible", "matter_type", "closed_on")),
    "time_entry": (("performed_on",), ("hours", "minutes", "units"), ("matter", "staff", "rate", "description")),
    "receivable": (("outstanding",), ("matter", "client", "invoice")),
    "trust": (("balance",), ("matter", "client")),
    "note": (("body",), ("matter", "contact", "written_on", "author")),
    "task": (("name",), ("due_on",)),
    "calendar_event": (("subject",), ("start_on",), ("end_on", "start_time", "end_time", "location", "owner", "all_day")),
    "related_contact": (("matter",), ("contact",), ("role",)),
    "email": (("sender",), ("recipients",)),
    "phone_log": (("called_at",), ("caller", "callee", "number"), ("duration", "direction", "note", "callee", "caller")),
}
"""Of each group at least one field, or a list is no such list."""
_HOLDS = {
    Type.DATE: ("days",), Type.BIRTH: ("days",), Type.MOMENT: ("days",), Type.EMAIL: ("e-mail addresses",), Type.PHONE: ("telephone numbers",),
    Type.MONEY: ("amounts", "small numbers", "whole numbers"), Type.HOURS: ("small numbers",), Type.MINUTES: ("whole numbers", "small numbers"),
    Type.UNITS: ("whole numbers",), Type.FLAG: ("yes or no",), Type.TIME: ("times of day", "days"),
}  # fmt: skip
_NEVER_TEXT = ("days", "amounts", "e-mail addresses", "telephone numbers", "times of day")
_VALUES = ("days", "amounts", "e-mail addresses", "telephone numbers", "times of day", "whole numbers", "small numbers", "addresses on the web")
_FREE = {Type.TEXT, Type.KEY, Type.NAME, Type.PERSON, Type.POSTCODE}
_CUSTOM_TYPES = (("days", "date"), ("amounts", "currency"), ("addresses on the web", "url"), ("e-mail addresses", "email"), ("yes or no", "checkbox"), ("prose", "text_area"))
_BY_VALUES = (
    ("e-mail addresses", "contact", "email", 0.5), ("telephone numbers", "contact", "phone", 0.5), ("prose", "note", "body", 0.6), ("days", "note", "written_on", 0.5),
)  # fmt: skip
"""What values say by themselves, where a heading says nothing."""


@dataclass(frozen=True)
class Use:
    """What a column may mean."""

    column: Column
    field: str = ""
    """Nothing where it is not said: then it becomes a custom field, or stays in the archive."""
    confidence: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Link:
    """A column whose values are keys of another list."""

    column: Column
    to: int
    """The number of the list that has the key, from 0."""
    where: str
    key: Column
    share: float

    def __str__(self) -> str:
        return f"{self.column.heading!r} points at {self.key.heading!r} of {self.where}: {self.share:.0%} of its values are there"


@dataclass(frozen=True)
class Listed:
    """A list of the export, as it shows by itself."""

    file: str
    sheet: str
    rows: int
    header_row: int
    columns: tuple[Column, ...]
    points: tuple["Link", ...] = ()

    @property
    def where(self) -> str:
        return self.file + (f" › {self.sheet}" if self.sheet else "")


@dataclass(frozen=True)
class Proposal:
    """What a list may be."""

    listed: Listed
    record: str
    """Nothing where no type of record fits."""
    confidence: float
    uses: tuple[Use, ...]
    next_best: str = ""
    notes: tuple[str, ...] = field(default=())


def look_at(file: str, rows: Spooled) -> Listed | None:
    """A list's header and columns; None where no row could be a header."""
    for header in _headers(rows.head.cells):
        names = [" ".join((cell or "").split()) for cell in rows.head.cells.row(header)[1:]]
        cells = _below(rows, header + 1)
        columns = tuple(describe(place, name, cells[f"c{place}"]) for place, name in enumerate(names))
        if _stand_apart(columns):
            break
    else:
        return None
    return Listed(file, rows.head.sheet, rows.height - header - 1, header, tuple(one for one in columns if one.heading or one.filled))


def _stand_apart(columns: Sequence[Column]) -> bool:
    """True if a header is no row of data: it holds no value, and half its words are known, or some column below it is of a
    kind that its heading is not.
    """
    heads = [set(describe(0, "", pl.Series("c", [column.heading or None], dtype=pl.String)).kinds) for column in columns]
    if any(kinds & set(_VALUES) for kinds in heads):
        return False
    named = [column for column in columns if column.heading]
    if 2 * sum(1 for column in named if is_known(column.heading)) >= max(2, len(named)):
        return True
    return any(set(column.mostly) & {*_VALUES, "yes or no", "codes"} - kinds for column, kinds in zip(columns, heads, strict=True))


def _headers(cells: pl.DataFrame) -> Iterator[int]:
    """The top rows that are nearly as full as any and hold words, no values."""
    rows = [[cell.strip() if cell else "" for cell in row[1:]] for row in cells.head(_DEEPEST).rows()]
    fullest = max((sum(1 for cell in row if cell) for row in rows), default=0)
    for place, row in enumerate(rows):
        words = [cell for cell in row if cell]
        lettered = sum(1 for cell in words if any(char.isalpha() for char in cell) and len(cell) <= 200 and "@" not in cell)
        if len(words) >= max(2, MOSTLY * fullest) and lettered >= 0.6 * len(words) and len({word.casefold() for word in words}) >= len(words) / 2:
            yield place


def _below(rows: Spooled, first: int) -> pl.DataFrame:
    some, height = [], 0
    for piece in rows.pieces():
        some.append(piece.filter(pl.col(ROW) > first).head(_LOOKED_AT - height))
        height += some[-1].height
        if height >= _LOOKED_AT:
            break
    return pl.concat(some)


def linked(lists: Sequence[Listed]) -> list[Listed]:
    """The same lists, each with what its columns point at: nearly all their values are keys of another list."""
    keys = [(number, column) for number, one in enumerate(lists) for column in one.columns if column.is_key and column.distinct >= 2]
    found = []
    for number, one in enumerate(lists):
        points = []
        for column in one.columns:
            best = max(
                ((share, other, key) for other, key in keys if other != number and (share := _share(column, key)) >= 0.9),
                key=lambda hit: (hit[0], _alike(column, hit[2]), -hit[2].distinct), default=None,
            )  # fmt: skip
            if best is not None:
                share, other, key = best
                points.append(Link(column, other, lists[other].where, key, share))
        found.append(Listed(one.file, one.sheet, one.rows, one.header_row, one.columns, tuple(points)))
    return found


def _share(column: Column, key: Column) -> float:
    """The share of a column's values that are keys there. Small numbers are everywhere: they need a heading that says so."""
    if column.keys.len() < 2 or column.is_mostly("days", "prose", "amounts", "times of day"):
        return 0.0
    if (column.is_mostly("whole numbers", "small numbers") or column.keys.len() < 5) and not _alike(column, key):
        return 0.0
    return int(column.keys.is_in(key.keys.implode()).sum()) / column.keys.len()


def _alike(column: Column, key: Column) -> bool:
    return bool(set(words_in(column.heading)) & set(words_in(key.heading)))


def propose(lists: Sequence[Listed]) -> list[Proposal]:
    """What each list may be; and which of its columns names a matter, where that shows by what it points at alone."""
    proposals = [_propose(one) for one in lists]
    numbers = {
        (number, use.column.place)
        for number, proposal in enumerate(proposals) if proposal.record == "matter" for use in proposal.uses if use.field == "number"
    }  # fmt: skip
    return [_with_matter(one, numbers) for one in proposals]


def _with_matter(proposal: Proposal, numbers: set[tuple[int, int]]) -> Proposal:
    if not proposal.record or proposal.record == "matter" or "matter" not in RECORDS[proposal.record].names():
        return proposal
    link = next((link for link in proposal.listed.points if (link.to, link.key.place) in numbers), None)
    if link is None or any(use.field == "matter" for use in proposal.uses):
        return proposal
    told = Use(link.column, "matter", round(0.9 * link.share, 2), f"its values are the numbers of the matters in {link.where}")
    return replace(proposal, uses=tuple(told if use.column == link.column else use for use in proposal.uses))


def _propose(listed: Listed) -> Proposal:
    """The record a list's rows are likeliest to be, and what each column of it means."""
    ranked = sorted(((_read_as(record, listed), record) for record in _NEEDS), key=lambda one: (-one[0][0], one[1]))
    (score, uses), record = ranked[0]
    asked = max(1, sum(1 for column in listed.columns if column.filled))
    confidence = round(min(1.0, score / asked), 2)
    runner = ranked[1]
    next_best = f"{runner[1]} {min(1.0, runner[0][0] / asked):.2f}" if runner[0][0] > 0 else ""
    if score < 1.0:
        return Proposal(listed, "", confidence, tuple(Use(column, reason=column.shown) for column in listed.columns), next_best)
    return Proposal(listed, record, confidence, uses, next_best)


def _read_as(record: str, listed: Listed) -> tuple[float, tuple[Use, ...]]:
    """How well the list reads as this record; 0 where it lacks what such a record must have."""
    options = [
        (share, column, name, reason)
        for column in listed.columns
        for name, share, reason in _meanings(record, column)
    ]  # fmt: skip
    fields, taken, uses = RECORDS[record], set[str](), dict[int, Use]()
    for share, column, name, reason in sorted(options, key=lambda one: (-one[0], one[1].place)):
        if column.place in uses or (name in taken and not fields[name].many):
            continue
        taken.add(name)
        uses[column.place] = Use(column, name, round(share, 2), reason)
    if not all(taken & set(group) for group in _NEEDS[record]):
        return 0.0, ()
    score = sum(use.confidence for use in uses.values())
    return score, tuple(uses.get(column.place, Use(column, reason=column.shown)) for column in listed.columns)


def _meanings(record: str, column: Column) -> Iterable[tuple[str, float, str]]:
    told = likenesses(record, column.heading) if column.heading else ()
    for like in told:
        share, why = _fits(RECORDS[record][like.field].type, column)
        if like.share * share >= 0.3:
            yield like.field, like.share * share, f"{like.reason}; {why}"
    if not told:
        for kind, whose, name, share in _BY_VALUES:
            if whose == record and column.is_mostly(kind):
                yield name, share, f"told by its values alone: {column.shown}"


def _fits(kind: Type, column: Column) -> tuple[float, str]:
    """How well a column's values fit a field's type, and in words."""
    if not column.filled:
        return 0.6, "empty"
    if kind in _HOLDS:
        share = max(column.kinds.get(name, 0.0) for name in _HOLDS[kind])
        return (share if share >= 0.5 else 0.0), column.shown
    if kind in _FREE and column.is_mostly(*_NEVER_TEXT) and not column.is_mostly("codes", "names"):
        return 0.3, column.shown
    return 1.0, column.shown


def custom_type(column: Column) -> str:
    """The type of the custom field a column becomes."""
    return next((kind for holds, kind in _CUSTOM_TYPES if column.is_mostly(holds)), "text_line")


def as_yaml(source: str, product: str, proposals: Sequence[Proposal]) -> str:
    """The draft, each line with its confidence and its reason. No cell of the export is in it."""
    lines = [
        f"# A draft for {_quoted(product)}, made from one export. Every line is a proposal: its confidence from 0 to 1, and why.",
        "# Edit it, then read the export with it: caseferry check EXPORT --source THIS_FILE",
        f"source: {_quoted(source)}", f"product: {_quoted(product)}", "like: leap", "", "tables:",
    ]  # fmt: skip
    names: set[str] = set()
    for proposal in proposals:
        lines += _table(_name(proposal.listed, names), proposal)
    if not any(proposal.record for proposal in proposals):
        lines[lines.index("tables:")] = "tables: {}"
    return "\n".join(lines) + "\n"


def _name(listed: Listed, taken: set[str]) -> str:
    stem = normal(f"{listed.file.rsplit('/', 1)[-1].rsplit('.', 1)[0]} {listed.sheet}").replace(" ", "_") or "list"
    name, number = f"own_{stem}", 1
    while name in taken:
        number += 1
        name = f"own_{stem}_{number}"
    taken.add(name)
    return name


def _table(name: str, proposal: Proposal) -> list[str]:
    listed = proposal.listed
    where = listed.where
    head = [f"  # {_quoted(where)}: {listed.rows:,} rows, header in row {listed.header_row + 1}", *(f"  # {point}" for point in listed.points)]
    headings = ", ".join(_quoted(column.heading) for column in listed.columns if column.heading)
    if not proposal.record:
        return [*head, f"  # not proposed: no type of record fits. Its columns: {headings}", *(f"  #   {_quoted(use.column.heading)}: {use.reason}" for use in proposal.uses), ""]
    told = f"{proposal.confidence:.2f}" + (f", next best: {proposal.next_best}" if proposal.next_best else "")
    lines = [*head, f"  {_quoted(name)}:", f"    record: {proposal.record}    # {told}", f"    about: {_quoted(where)}", f"    evidence: [{headings}]"]
    groups = ", ".join(f"[{', '.join(group)}]" for group in _NEEDS[proposal.record])
    lines += [f"    must: [{groups}]", "    columns:"]
    by_field: dict[str, list[Use]] = {}
    for use in proposal.uses:
        if use.field:
            by_field.setdefault(use.field, []).append(use)
    for name_of, uses in by_field.items():
        shown = ", ".join(_quoted(use.column.heading) for use in uses)
        why = "; and ".join(f"{use.confidence:.2f} {use.reason}" for use in uses)
        lines.append(f"      {name_of}: [{shown}]    # {why}")
    rest = [use.column for use in proposal.uses if not use.field and use.column.heading]
    filled, empty = [c for c in rest if c.filled], [c for c in rest if not c.filled]
    parent = {"contact": "Contact", "matter": "Matter"}.get(proposal.record)
    if filled and parent:
        lines.append("    custom:    # nobody knows these: each becomes a custom field of its own")
        lines += [f"      {_quoted(c.heading)}: {{parent: {parent}, headings: [], type: {custom_type(c)}}}    # {c.shown}" for c in filled]
    elif filled:
        lines += [f"    # stays in the archive unless you name a field for it: {_quoted(c.heading)} ({c.shown})" for c in filled]
    if empty:
        lines.append(f"    leave: [{', '.join(_quoted(c.heading) for c in empty)}]    # empty")
    return [*lines, ""]


def _quoted(text: str) -> str:
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text) + '"'
