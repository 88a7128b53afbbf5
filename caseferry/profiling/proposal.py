"""What a list may be, and what each of its columns may mean, with a confidence and a reason: by headings, by values, by the
list's name, and by what a column points at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from caseferry.profiling.columns import Column
from caseferry.profiling.kinds import KINDS, Kind
from caseferry.profiling.listed import Link, Listed, stem
from caseferry.profiling.meanings import KEYS, meanings, pointing
from caseferry.profiling.strange import stranger, words_of
from caseferry.profiling.together import Together, put_together
from caseferry.profiling.words import words_in
from caseferry.records import RECORDS

_TITLED, _TIE, _LITTLE, _SAID = 0.5, 0.02, 1.0, 0.8


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
        for kind, fields in KEYS.items()
    }  # fmt: skip
    told = [
        {link.column.place: (kind, link) for link in one.points for kind in KEYS if (link.to, link.key.place) in keys[kind]}
        for one in lists
    ]  # fmt: skip
    second = [_with_key(number, _propose(one, links), pointed) for number, (one, links) in enumerate(zip(lists, told, strict=True))]
    joined = put_together(lists, [one.kind for one in second])
    third = [replace(one, together=joined[number], by_id=_names_by_id(one, told[number], keys["matter"])) for number, one in enumerate(second)]
    return [_without_strangers(_used(one), {place: use.column for place, use in keys["matter"].items()}) for one in third]


def _with_key(number: int, proposal: Proposal, pointed: set[tuple[int, int]]) -> Proposal:
    """With the column that others point at as what the records are named by, where no heading says it."""
    fields = KEYS.get(proposal.kind, ())
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
        for name, share, reason in (column.place in links and list(pointing(kind, *links[column.place]))) or meanings(kind, column)
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
