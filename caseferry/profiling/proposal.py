"""What a list may be, and what each of its columns may mean, with a confidence and a reason: by headings, by values, by the
list's name, and by what a column points at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from caseferry.profiling.columns import Column
from caseferry.profiling.kinds import KINDS, Kind
from caseferry.profiling.listed import Link, Listed, stem
from caseferry.profiling.strange import stranger, words_of
from caseferry.profiling.together import Together, put_together
from caseferry.profiling.words import Likeness, likenesses, words_in
from caseferry.records import RECORDS, Type

_TITLED, _TIE, _LITTLE, _SAID = 0.5, 0.02, 1.0, 0.8
_HOLDS = {
    Type.DATE: ("days", "days in eight figures", "seconds since 1970"), Type.BIRTH: ("days", "days in eight figures"),
    Type.MOMENT: ("days", "days in eight figures", "seconds since 1970"), Type.EMAIL: ("e-mail addresses",), Type.PHONE: ("telephone numbers",),
    Type.MONEY: ("amounts", "numbers"), Type.HOURS: ("small numbers", "durations"), Type.MINUTES: ("whole numbers", "small numbers", "durations"),
    Type.SECONDS: ("whole numbers",), Type.UNITS: ("whole numbers",), Type.FLAG: ("yes or no",), Type.TIME: ("times of day", "days"),
}  # fmt: skip
_NEVER_TEXT = ("days", "amounts", "e-mail addresses", "telephone numbers", "times of day", "seconds since 1970")
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
    kind: str
    """Nothing where no kind fits."""
    confidence: float
    uses: tuple[Use, ...]
    next_best: str = ""
    why: str = ""
    """Why it is nothing."""
    is_strange: bool = False
    """It looks like something that is none of ours."""
    by_id: bool = False
    """Its rows name matters by their id, not by their number."""
    together: Mapping[str, Together] | None = None
    """The fields that several of its columns make together."""

    @property
    def record(self) -> str:
        return KINDS[self.kind].record if self.kind else ""

    @property
    def exclusion(self) -> str:
        return KINDS[self.kind].exclusion if self.kind else ""


def propose(lists: Sequence[Listed]) -> list[Proposal]:
    """What each list may be; and which of its columns name a matter or a contact: what a column points at says more than its heading."""
    pointed = {(link.to, link.key.place) for one in lists for link in one.points}
    first = [_with_key(number, _propose(one, {}), pointed) for number, one in enumerate(lists)]
    keys = {
        kind: {
            (number, use.column.place): use
            for number, proposal in enumerate(first) if proposal.kind == kind for use in proposal.uses if use.field in fields
        }
        for kind, fields in _KEYS.items()
    }  # fmt: skip
    told = [
        {link.column.place: (kind, link) for link in one.points for kind in _KEYS if (link.to, link.key.place) in keys[kind]}
        for one in lists
    ]  # fmt: skip
    second = [_with_key(number, _propose(one, links), pointed) for number, (one, links) in enumerate(zip(lists, told, strict=True))]
    joined = put_together(lists, [one.kind for one in second])
    third = [replace(one, together=joined[number], by_id=_names_by_id(one, told[number], keys["matter"])) for number, one in enumerate(second)]
    return [_without_strangers(_used(one), {place: use.column for place, use in keys["matter"].items()}) for one in third]


_KEYS = {"matter": ("number", "source_id"), "contact": ("source_id",)}
"""The fields of a record that others name it by."""
_POINTING = {"matter": ("matter",), "contact": ("client", "contact")}
"""The fields that name a record of a kind, in all others."""


def _with_key(number: int, proposal: Proposal, pointed: set[tuple[int, int]]) -> Proposal:
    """With the column that others point at as what the records are named by, where no heading says it."""
    fields = _KEYS.get(proposal.kind, ())
    taken = {use.field: use for use in proposal.uses if use.field in fields}
    if any((number, use.column.place) in pointed for use in taken.values()):
        return proposal
    field = next((field for field in fields if field not in taken), "")
    free = (use for use in proposal.uses if use.field not in fields and use.confidence < _SAID and use.column.is_key and not use.column.is_mostly("names"))
    key = next((use for use in free if (number, use.column.place) in pointed), None)
    if not field or key is None:
        return proposal
    told = Use(key.column, field, 0.8, f"other lists point at it; {key.column.shown}")
    return replace(proposal, uses=tuple(told if use is key else use for use in proposal.uses))


def _names_by_id(proposal: Proposal, links: "Links", keys: Mapping[tuple[int, int], Use]) -> bool:
    """True if the column that names its matters points at their ids."""
    places = {use.column.place for use in proposal.uses if use.field == "matter"}
    return any(keys[(link.to, link.key.place)].field == "source_id" for place, (kind, link) in links.items() if kind == "matter" and place in places)


def _used(proposal: Proposal) -> Proposal:
    """With every column of several that make a field together told as one of them, unless it has a meaning of its own."""
    made = {column.place: name for name, one in (proposal.together or {}).items() for column in one.columns}
    kept = {use.column.place for use in proposal.uses if use.field and use.field not in (proposal.together or {})}
    reasons = {name: one.reason for name, one in (proposal.together or {}).items()}
    uses = tuple(
        Use(use.column, made[use.column.place], 0.9, reasons[made[use.column.place]]) if use.column.place in made and use.column.place not in kept
        else replace(use, field="", confidence=0.0, reason=use.column.shown) if use.field in reasons and use.column.place not in made else use
        for use in proposal.uses
    )  # fmt: skip
    return replace(proposal, uses=uses)


def _without_strangers(proposal: Proposal, numbers: dict[tuple[int, int], Column]) -> Proposal:
    """Without a column that only its heading makes a matter's, if none of its values is one of a matter."""
    if proposal.kind in ("", "matter") or not numbers or "matter" in (proposal.together or {}):
        return proposal
    uses = tuple(Use(use.column, reason=use.column.shown) if use.field == "matter" and not _is_any(use.column, numbers) else use for use in proposal.uses)
    made = replace(proposal, uses=uses)
    return made if _lacks(KINDS[proposal.kind], {use.field for use in uses}) is None else _nothing(made, "what looks like matters is none of those listed")


def _is_any(column: Column, keys: dict[tuple[int, int], Column]) -> bool:
    """True if some of its values are keys there, or it has none to tell by."""
    return column.keys.is_empty() or any(column.keys.is_in(key.keys.implode()).any() for key in keys.values())


def _nothing(proposal: Proposal, why: str) -> Proposal:
    """The list as one that reads as nothing."""
    uses = tuple(Use(use.column, reason=use.column.shown) for use in proposal.uses)
    return replace(proposal, kind="", uses=uses, next_best=f"{proposal.kind} {proposal.confidence:.2f}", why=why)


Links = Mapping[int, tuple[str, Link]]
"""By the place of a column: the kind of record it points at, and how."""


@dataclass(frozen=True)
class _Reading:
    """A list read as a kind."""

    kind: str
    uses: tuple[Use, ...]
    score: float
    against: str
    """Why it can't be one; nothing where it can."""


def _propose(listed: Listed, links: Links) -> Proposal:
    """The kind a list's rows are likeliest to be, and what each column of it means."""
    bare = tuple(Use(column, reason=column.shown) for column in listed.columns)
    strange = stranger(listed)
    if strange:
        return Proposal(listed, "", 0.0, bare, why=f"it looks like {strange}", is_strange=True)
    readings = [_read_as(kind, listed, links) for kind in KINDS]
    titled = {one.kind: _TITLED * any(words_of(title) <= words_of(stem(listed)) for title in KINDS[one.kind].titles) for one in readings}
    good = sorted((one for one in readings if not one.against), key=lambda one: (-one.score - titled[one.kind], one.kind))
    asked = max(1, sum(1 for column in listed.columns if column.filled))

    def sure(reading: _Reading) -> float:
        return round(min(1.0, reading.score / asked), 2)

    if not good:
        near = max(readings, key=lambda one: (one.score + titled[one.kind], one.kind))
        return Proposal(listed, "", sure(near) if near.score >= _LITTLE else 0.0, bare, why=f"nearest is {near.kind}, but {near.against}" if near.score >= _LITTLE else "hardly a heading or value says what it is")
    best, *others = good
    next_best = f"{others[0].kind} {sure(others[0]):.2f}" if others else ""
    if best.score < _LITTLE:
        return Proposal(listed, "", sure(best), bare, next_best, "hardly a heading or value says what it is")
    if others and best.score + titled[best.kind] - others[0].score - titled[others[0].kind] < _TIE:  # a tie is nobody's
        return Proposal(listed, "", sure(best), bare, next_best, f"it reads as {best.kind} and as {others[0].kind} alike")
    return Proposal(listed, best.kind, sure(best), best.uses, next_best)


def _read_as(kind: str, listed: Listed, links: Links) -> _Reading:
    """How well the list reads as this kind, and what is against it."""
    spec = KINDS[kind]
    options = [
        (share, column, name, reason)
        for column in listed.columns
        for name, share, reason in (column.place in links and list(_pointing(kind, *links[column.place]))) or _meanings(kind, column)
    ]  # fmt: skip
    fields, taken, uses = RECORDS[spec.record], set[str](), dict[int, Use]()
    for share, column, name, reason in sorted(options, key=lambda one: (-one[0], one[1].place)):
        if column.place in uses or (name in taken and not fields[name].many):
            continue
        taken.add(name)
        uses[column.place] = Use(column, name, round(share, 2), reason)
    score = sum(use.confidence for use in uses.values())
    return _Reading(kind, tuple(uses.get(column.place, Use(column, reason=column.shown)) for column in listed.columns), score, _against(spec, listed, taken))


def _against(spec: Kind, listed: Listed, fields: set[str]) -> str:
    """Why a list can't be of a kind; nothing where it can."""
    lacks = _lacks(spec, fields)
    if lacks:
        return lacks
    headed = [(column, frozenset(words_in(column.heading))) for column in listed.columns if column.heading]
    named = words_of(stem(listed))
    for word in spec.never:
        column = next((column for column, words in headed if column.filled and words_of(word) <= words), None)
        if column is not None:
            return f"{column.heading!r} speaks against it"
    if spec.untitled and any(words_of(word) <= named for word in spec.untitled):
        return "its name speaks against it"
    every = frozenset[str]().union(named, *(words for _, words in headed))
    if spec.speaks and not any(words_of(word) <= every for word in spec.speaks) and not any(column.is_mostly(*spec.or_holds) for column, _ in headed):
        return f"nothing in it says {' or '.join(spec.speaks)}"
    missing = [word for word in spec.also if not words_of(word) <= every]
    return f"nothing in it says {missing[0]}" if missing else ""


def _lacks(spec: Kind, fields: set[str]) -> str | None:
    group = next((group for group in spec.needs if not fields & set(group)), None)
    if group is not None:
        return f"no column is {' or '.join(group)}"
    return f"only {len(fields)} of its columns say what they are" if len(fields - {""}) < spec.least else None


def _pointing(kind: str, to: str, link: Link) -> Iterable[tuple[str, float, str]]:
    """What a column means that points at matters or contacts: them."""
    name = next((name for name in _POINTING[to] if name in RECORDS[KINDS[kind].record].names()), "")
    if name and kind != to:
        yield name, 0.95 * link.share, f"its values are those of {link.key.heading!r} in {link.where}"


def _meanings(kind: str, column: Column) -> Iterable[tuple[str, float, str]]:
    told = _told(kind, column)
    record = RECORDS[KINDS[kind].record]
    for like in told:
        share, why = _fits(record[like.field].type, column)
        if _other_unit(record[like.field].type, column):
            continue
        if like.field in _KEYS.get(kind, ()):
            share *= _names_rows(column)
        elif like.field == "description" and column.is_key and column.is_mostly("codes", "whole numbers"):
            share *= 0.5  # a code of its own for each row describes none
        if like.share * share >= 0.3:
            yield like.field, like.share * share, f"{like.reason}; {why}"
    if not told:
        for holds, whose, name, share in _BY_VALUES:
            if whose == kind and column.is_mostly(holds):
                yield name, share, f"told by its values alone: {column.shown}"


_UNITS = {Type.HOURS: "hours", Type.MINUTES: "minutes", Type.SECONDS: "seconds", Type.UNITS: "units"}


def _other_unit(kind: Type, column: Column) -> bool:
    """True if a heading says in what a duration is counted, and it is not this: seconds taken for minutes are sixty times too much."""
    words = {*words_in(column.heading), *words_in(column.short)}
    said = "seconds" if "seconds" in words else "minutes" if "minutes" in words else ""
    return bool(said) and kind in _UNITS and _UNITS[kind] != said


def _told(kind: str, column: Column) -> Sequence[Likeness]:
    """The fields a heading may mean, with and without what all headings of its list begin with."""
    heading = column.heading
    if heading and not words_in(heading):  # On, At
        heading = "Date" if column.is_mostly("days") else "Time" if column.is_mostly("times of day") else heading
    whole = likenesses(kind, heading) if heading else ()
    if not column.short:
        return whole
    best = {like.field: like for like in whole}
    for like in likenesses(kind, column.short):
        less = round(0.95 * like.share, 2)
        if like.field not in best or best[like.field].share < less:
            best[like.field] = Likeness(like.field, less, f"{like.reason}, without the letters its list's headings begin with")
    return tuple(best.values())


def _names_rows(column: Column) -> float:
    """How well a column may be what the rows are named by: by a person rather than a database."""
    if not column.is_key and column.filled:
        return 0.6
    return 0.7 if column.is_mostly("ids of a database") else 0.9 if column.is_mostly("whole numbers") else 1.0


def _fits(kind: Type, column: Column) -> tuple[float, str]:
    """How well a column's values fit a field's type, and in words."""
    if not column.filled:
        return 0.6, "empty"
    if kind in _HOLDS:
        share = max(column.kinds.get(name, 0.0) for name in _HOLDS[kind])
        return (share if share >= 0.5 else 0.0), column.shown
    if kind is Type.TEXT and column.is_mostly("ids of a database"):
        return 0.3, column.shown
    if kind in _FREE and column.is_mostly(*_NEVER_TEXT) and not column.is_mostly("codes", "names"):
        return 0.3, column.shown
    return 1.0, column.shown
