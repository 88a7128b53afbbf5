"""What a list may be, and what each of its columns may mean, with a confidence and a reason: by headings, by values, by the
list's name, and by what a column points at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from caseferry.mapping.headings import normal
from caseferry.profiling.columns import Column
from caseferry.profiling.listed import Link, Listed, stem
from caseferry.profiling.words import likenesses, words_in
from caseferry.records import RECORDS, Type

NEEDS = {
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
_FREE = {Type.TEXT, Type.KEY, Type.NAME, Type.PERSON, Type.POSTCODE}
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
class Proposal:
    """What a list may be."""

    listed: Listed
    record: str
    """Nothing where no type of record fits."""
    confidence: float
    uses: tuple[Use, ...]
    next_best: str = ""
    notes: tuple[str, ...] = field(default=())


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
    return made if all({use.field for use in uses} & set(group) for group in NEEDS.get(proposal.record, ())) else _nothing(made)


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
    readings = {record: _read_as(record, listed, links) for record in NEEDS if record not in named.never}
    ranks = {record: score + (_TITLED if score and record in named.likely else 0) for record, (score, _) in readings.items()}
    record, runner = sorted(readings, key=lambda one: (-ranks[one], one))[:2]
    score, uses = readings[record]
    asked = max(1, sum(1 for column in listed.columns if column.filled))
    confidence = round(min(1.0, score / asked), 2)
    next_best = f"{runner} {min(1.0, readings[runner][0] / asked):.2f}" if readings[runner][0] else ""
    if score < 1.0 or ranks[record] - ranks[runner] < _TIE:  # a tie is nobody's
        return Proposal(listed, "", confidence, tuple(Use(column, reason=column.shown) for column in listed.columns), next_best)
    return Proposal(listed, record, confidence, uses, next_best)


class _Named(NamedTuple):
    """What the name of a list says of its rows."""

    likely: frozenset[str]
    never: frozenset[str]


def _named_after(listed: Listed) -> _Named:
    told = {*words_in(stem(listed)), *normal(stem(listed)).split()}
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
    if not all(taken & set(group) for group in NEEDS[record]):
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
