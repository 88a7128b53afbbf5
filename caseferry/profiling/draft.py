"""A profile proposed for an export no profile explains: what each list may be, what each column may mean, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import polars as pl

from caseferry.mapping.headings import normal
from caseferry.profiling.columns import MOSTLY, Column, describe
from caseferry.profiling.words import is_known, likenesses, names_in, words_in
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
_TITLES = {
    "contact": {"contacts", "contact", "clients", "client", "people", "persons", "person", "party", "cards", "addresses", "address", "companies", "company", "guardian", "members"},
    "matter": {"matters", "matter", "cases", "files", "projects", "dossiers", "engagements", "engagement", "akten"},
    "time_entry": {"time", "times", "timesheet", "timesheets", "hours", "worklog", "wip", "work", "leistungen"},
    "receivable": {"receivables", "invoices", "invoice", "debtors", "ar", "balances", "fees"},
    "trust": {"trust", "escrow", "iolta"},
    "note": {"notes", "note", "memos", "memo", "journal", "notizen", "jottings"},
    "task": {"tasks", "task", "todo", "todos", "aufgaben", "reminders"},
    "calendar_event": {"calendar", "events", "event", "appointments", "hearings", "termine", "diary", "meetings"},
    "related_contact": {"parties", "relations", "related", "roles", "links"},
    "email": {"emails", "email", "mails", "messages"},
    "phone_log": {"calls", "call", "phone", "telephone"},
}
"""Words of a file's or sheet's name that speak for a record."""
_TRUST = {"trust", "escrow", "iolta"}
_TITLED, _TIE = 0.5, 0.02
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
    fullness = sorted(sum(1 for cell in row if cell) for row in rows)
    fullest = fullness[-1 - len(fullness) // 10] if fullness else 0  # a stray row that is wider says nothing
    full = 0
    for place, row in enumerate(rows):
        words = [cell for cell in row if cell]
        full += len(words) >= max(2, MOSTLY * fullest)
        if full > 2:  # below two full rows there is no header: what looks like one is somebody's data
            return
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
                ((share, other, key) for other, key in keys if other != number and (share := _share(column, key, lists[other])) >= 0.9),
                key=lambda hit: (hit[0], _alike(column, hit[2], lists[hit[1]]), -hit[2].distinct), default=None,
            )  # fmt: skip
            if best is not None:
                share, other, key = best
                points.append(Link(column, other, lists[other].where, key, share))
        found.append(Listed(one.file, one.sheet, one.rows, one.header_row, one.columns, tuple(points)))
    return found


def _share(column: Column, key: Column, of: Listed) -> float:
    """The share of a column's values that are keys there. Small numbers are everywhere: they need a heading that says so."""
    if column.keys.len() < 2 or column.is_mostly("days", "prose", "amounts", "times of day"):
        return 0.0
    if (column.is_mostly("whole numbers", "small numbers") or column.keys.len() < 5) and not _alike(column, key, of):
        return 0.0
    return int(column.keys.is_in(key.keys.implode()).sum()) / column.keys.len()


def _alike(column: Column, key: Column, of: Listed) -> int:
    """How much of whom a heading names the key and its list name too: `student_id` is the `id` of the list of students."""
    named = names_in(column.heading)
    return 2 * len(named & names_in(_stem(of))) + len(named & names_in(key.heading))


def _stem(listed: Listed) -> str:
    """The name of a list, without its ending."""
    return f"{listed.file.rsplit('/', 1)[-1].rsplit('.', 1)[0]} {listed.sheet}"


def propose(lists: Sequence[Listed]) -> list[Proposal]:
    """What each list may be; and which of its columns name a matter or a contact: what a column points at says more than its heading."""
    pointed = {(link.to, link.key.place) for one in lists for link in one.points}
    first = [_with_key(number, _propose(one, {}), pointed) for number, one in enumerate(lists)]
    keys = {
        kind: {
            (number, use.column.place): use.column
            for number, proposal in enumerate(first) if proposal.record == kind for use in proposal.uses if use.field == field
        }
        for kind, field in _KEYS.items()
    }  # fmt: skip
    told = [
        {link.column.place: (kind, link) for link in one.points for kind in _KEYS if (link.to, link.key.place) in keys[kind]}
        for one in lists
    ]  # fmt: skip
    second = [_with_key(number, _propose(one, links), pointed) for number, (one, links) in enumerate(zip(lists, told, strict=True))]
    return [_without_strangers(one, keys["matter"]) for one in second]


_KEYS = {"matter": "number", "contact": "source_id"}
"""The field of a record that others name it by."""
_POINTING = {"matter": ("matter",), "contact": ("client", "contact")}
"""The fields that name a record of a kind, in all others."""


def _with_key(number: int, proposal: Proposal, pointed: set[tuple[int, int]]) -> Proposal:
    """With the column that others point at as what the records are named by, where no heading says it."""
    field = _KEYS.get(proposal.record, "")
    if not field or any(use.field == field for use in proposal.uses):
        return proposal
    key = next((use for use in proposal.uses if (number, use.column.place) in pointed and not use.field and use.column.is_key), None)
    told = key and Use(key.column, field, 0.8, f"other lists point at it; {key.column.shown}")
    return replace(proposal, uses=tuple(told if told and use is key else use for use in proposal.uses))


def _without_strangers(proposal: Proposal, numbers: dict[tuple[int, int], Column]) -> Proposal:
    """Without a column that only its heading makes a matter's, if none of its values is one of a matter."""
    if proposal.record == "matter" or not numbers:
        return proposal
    uses = tuple(Use(use.column, reason=use.column.shown) if use.field == "matter" and not _is_any(use.column, numbers) else use for use in proposal.uses)
    made = replace(proposal, uses=uses)
    return made if all({use.field for use in uses} & set(group) for group in _NEEDS.get(proposal.record, ())) else _nothing(made)


def _is_any(column: Column, keys: dict[tuple[int, int], Column]) -> bool:
    """True if some of its values are keys there, or it has none to tell by."""
    return column.keys.is_empty() or any(column.keys.is_in(key.keys.implode()).any() for key in keys.values())


def _nothing(proposal: Proposal) -> Proposal:
    """The list as one that reads as nothing."""
    uses = tuple(Use(use.column, reason=use.column.shown) for use in proposal.uses)
    return replace(proposal, record="", uses=uses, next_best=f"{proposal.record} {proposal.confidence:.2f}")


Links = Mapping[int, tuple[str, Link]]
"""By the place of a column: the kind of record it points at, and how."""


def _propose(listed: Listed, links: Links) -> Proposal:
    """The record a list's rows are likeliest to be, and what each column of it means."""
    named = _named_after(listed)
    ranked = sorted(((_read_as(record, listed, links), record) for record in _NEEDS if record not in named.never), key=lambda one: (-one[0][0] - _TITLED * (one[1] in named.likely) * (one[0][0] > 0), one[1]))
    (score, uses), record = ranked[0]
    asked = max(1, sum(1 for column in listed.columns if column.filled))
    confidence = round(min(1.0, score / asked), 2)
    runner = ranked[1]
    next_best = f"{runner[1]} {min(1.0, runner[0][0] / asked):.2f}" if runner[0][0] > 0 else ""
    if score < 1.0 or (abs(score - runner[0][0]) < _TIE and record not in named.likely):  # a tie is nobody's
        return Proposal(listed, "", confidence, tuple(Use(column, reason=column.shown) for column in listed.columns), next_best)
    return Proposal(listed, record, confidence, uses, next_best)


class _Named(NamedTuple):
    """What the name of a list says of its rows."""

    likely: frozenset[str]
    never: frozenset[str]


def _named_after(listed: Listed) -> _Named:
    told = {*words_in(_stem(listed)), *normal(_stem(listed)).split()}
    is_trust = _TRUST & (told | {word for column in listed.columns for word in words_in(column.heading)})
    likely = {record for record, words in _TITLES.items() if told & words} | ({"trust"} if is_trust else set())
    return _Named(frozenset(likely), frozenset({"receivable"} if is_trust else ()))  # money held for a client is never owed by one


def _read_as(record: str, listed: Listed, links: Links) -> tuple[float, tuple[Use, ...]]:
    """How well the list reads as this record; 0 where it lacks what such a record must have."""
    options = [
        (share, column, name, reason)
        for column in listed.columns
        for name, share, reason in (_pointing(record, *links[column.place]) if column.place in links else _meanings(record, column))
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


def _pointing(record: str, kind: str, link: Link) -> Iterable[tuple[str, float, str]]:
    """What a column means that points at matters or contacts: them."""
    name = next((name for name in _POINTING[kind] if name in RECORDS[record].names()), "")
    if name and record != kind:
        yield name, 0.95 * link.share, f"its values are those of {link.key.heading!r} in {link.where}"


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
    common = Counter(normal(column.heading) for proposal in proposals for column in proposal.listed.columns if column.heading)
    for proposal in proposals:
        lines += _table(_name(proposal.listed, names), proposal, common)
    if not any(proposal.record for proposal in proposals):
        lines[lines.index("tables:")] = "tables: {}"
    return "\n".join(lines) + "\n"


def _name(listed: Listed, taken: set[str]) -> str:
    stem = normal(_stem(listed)).replace(" ", "_") or "list"
    name, number = f"own_{stem}", 1
    while name in taken:
        number += 1
        name = f"own_{stem}_{number}"
    taken.add(name)
    return name


def _table(name: str, proposal: Proposal, common: Mapping[str, int]) -> list[str]:
    listed = proposal.listed
    where = listed.where
    head = [f"  # {_quoted(where)}: {listed.rows:,} rows, header in row {listed.header_row + 1}", *(f"  # {point}" for point in listed.points)]
    headings = ", ".join(_quoted(column.heading) for column in listed.columns if column.heading)
    if not proposal.record:
        return [*head, f"  # not proposed: no type of record fits. Its columns: {headings}", *(f"  #   {_quoted(use.column.heading)}: {use.reason}" for use in proposal.uses), ""]
    told = f"{proposal.confidence:.2f}" + (f", next best: {proposal.next_best}" if proposal.next_best else "")
    lines = [*head, f"  {_quoted(name)}:", f"    record: {proposal.record}    # {told}", f"    about: {_quoted(where)}", f"    evidence: [{_evidence(listed, common)}]"]
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


def _evidence(listed: Listed, common: Mapping[str, int]) -> str:
    """The headings that tell this list from the others of the export; all of them where too few are its own."""
    every = [column.heading for column in listed.columns if column.heading]
    own = [heading for heading in every if common[normal(heading)] == 1]
    return ", ".join(map(_quoted, own if len(own) >= 2 else every))


def _quoted(text: str) -> str:
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text) + '"'
