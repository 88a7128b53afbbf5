"""How a list differs from the one its profile was written for: columns that are new, missing, or called otherwise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

import polars as pl

from caseferry.manifest import Finding, Table
from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile
from caseferry.profiling.columns import Column, describe
from caseferry.profiling.words import words_in
from caseferry.records import RECORDS, Type

_ALIKE, _SURE, _LIKELY = 0.72, 0.85, 0.6
"""From which on two headings are spelt nearly the same; a column is told as renamed; and as perhaps renamed."""
_LONGEST, _MOST = 80, 60
"""Letters of a heading, and headings of a list, that are compared: nobody names columns in novels."""
_HOLDS = {
    Type.DATE: "days", Type.BIRTH: "days", Type.MOMENT: "days", Type.EMAIL: "e-mail addresses", Type.PHONE: "telephone numbers",
    Type.MONEY: "numbers", Type.HOURS: "numbers", Type.MINUTES: "numbers", Type.UNITS: "numbers", Type.TIME: "times of day", Type.FLAG: "yes or no",
}  # fmt: skip
Cells = Callable[[int], pl.Series]
"""The first cells of a column, by its place."""


def layout_changed(table: Table, profile: Profile, cells: Cells | None = None) -> Finding | None:
    """What is different from the layout the profile knows; nothing where it knows none, or nothing is."""
    layout = profile.layouts.get(table.kind)
    if not layout:
        return _likely(table, profile)
    have = {normal(c.heading): c.heading for c in table.columns if c.heading}
    known = {normal(heading): heading for heading in layout}
    new, missing = [name for name in have if name not in known], [name for name in known if name not in have]
    if not new and not missing:
        return None
    renamed = []
    for one in _renamed(missing, new, table, profile, list(known), cells):
        missing.remove(one.old)
        new.remove(one.new)
        how = f"is now {have[one.new]!r}" if one.share >= _SURE else f"may now be {have[one.new]!r} ({one.share:.2f}: {one.reason})"
        renamed.append(f"{known[one.old]!r} {how}")
    understood = {normal(c.heading) for c in table.columns if c.use == "mapped"} | set(profile.headings(table.kind))
    new = [name for name in new if name not in understood]  # the layout is one account's; the profile knows more columns than it shows
    if not renamed and not new and not missing:
        return None
    told = [
        *([f"renamed: {', '.join(renamed)}"] if renamed else []), *([f"new: {', '.join(repr(have[name]) for name in new)}"] if new else []),
        *([f"missing: {', '.join(repr(known[name]) for name in missing)}"] if missing else []),
    ]  # fmt: skip
    where = " › ".join(filter(None, (table.file, table.sheet)))
    return Finding(rule="layout_changed", where=where, count=len(renamed) + len(new) + len(missing), detail=f"changed since profile v{profile.version}: {'; '.join(told)}")


@dataclass(frozen=True)
class _Renamed:
    old: str
    new: str
    share: float
    """How likely it is, from 0 to 1."""
    reason: str


def _renamed(missing: list[str], new: list[str], table: Table, profile: Profile, known: list[str], cells: Cells | None) -> list[_Renamed]:
    """The columns that go by another name, each once, the likeliest first."""
    meant = profile.headings(table.kind)
    places = {normal(c.heading): c.place for c in table.columns if c.heading}
    described: dict[str, Column] = {}
    if cells is not None and missing:
        described = {name: describe(places[name], name, cells(places[name])) for name in new[:_MOST]}
    have = [normal(c.heading) for c in table.columns if c.heading]
    options = [
        _compared(old, name, meant, RECORDS[table.record].names(), described.get(name), table, _stand_alike(old, name, known, have))
        for old in missing[:_MOST] for name in new[:_MOST] if len(old) <= _LONGEST and len(name) <= _LONGEST
    ]  # fmt: skip
    found: list[_Renamed] = []
    for one in sorted(options, key=lambda option: (-option.share, option.old, option.new)):
        if one.share >= _LIKELY and not any(one.old == other.old or one.new == other.new for other in found):
            found.append(one)
    return found


def _compared(old: str, new: str, meant: Mapping[str, str], fields: set[str], column: Column | None, table: Table, place: float) -> _Renamed:
    """How likely one heading has taken another's place: by the field both feed; else by letters and words, values, and where it stands."""
    field = meant.get(old, "")
    if field and meant.get(new) == field:
        return _Renamed(old, new, 1.0, "the same field")
    if new in meant:  # it has a meaning of its own
        return _Renamed(old, new, 0.0, "")
    matcher = SequenceMatcher(None, old, new)
    letters = matcher.ratio() if matcher.real_quick_ratio() >= 0.4 else 0.0
    ours, theirs = set(words_in(old)), set(words_in(new))
    words = len(ours & theirs) / len(ours | theirs) if ours | theirs else 0.0
    kind = RECORDS[table.record][field].type if field in fields else None
    fits = None if column is None or not column.filled or kind not in _HOLDS else column.is_mostly(_HOLDS[kind])
    if fits is False:
        return _Renamed(old, new, 0.0, "")
    share = 0.5 * max(letters, words) + (0.25 if fits else 0.125) + 0.25 * place
    if letters >= _ALIKE:
        share = 1.0 if letters >= _SURE else max(letters, share)
    said = [
        *(["spelt nearly the same"] if letters >= _ALIKE else ["it means nearly the same"] if words >= 0.5 else []),
        *([f"it holds {_HOLDS[kind]} too"] if fits and kind else []), *(["it stands in the same place"] if place == 1 else []),
    ]  # fmt: skip
    return _Renamed(old, new, round(share, 2), ", ".join(said))


def _stand_alike(old: str, new: str, known: list[str], have: list[str]) -> float:
    """1 where the nearest columns on both sides are the same as before, a half where those on one side are."""

    def sides(name: str, names: list[str], others: set[str]) -> tuple[str, str]:
        at = names.index(name)
        before = next((one for one in reversed(names[:at]) if one in others), "")
        return before, next((one for one in names[at + 1 :] if one in others), "")

    ours, theirs = sides(old, known, set(have)), sides(new, have, set(known))
    return sum(0.5 for mine, other in zip(ours, theirs, strict=True) if mine == other)


def _likely(table: Table, profile: Profile) -> Finding | None:
    """Of a list whose layout the profile does not know: columns nobody knows that look like one it does, and that is not there."""
    meant, taken = profile.headings(table.kind), {c.field for c in table.columns}
    free = {heading: field for heading, field in meant.items() if field not in taken and ":" not in field}
    told, looked = [], 0
    for column in table.columns:
        if column.use != "archive_only" or column.decided or not column.heading:
            continue
        close = get_close_matches(normal(column.heading[:_LONGEST]), free, 1, _ALIKE) if looked < _MOST else []
        looked += 1
        if close:
            told.append(f"{close[0]!r} may now be {column.heading!r}")
    if not told:
        return None
    where = " › ".join(filter(None, (table.file, table.sheet)))
    return Finding(rule="layout_changed", where=where, count=len(told), detail=f"changed since profile v{profile.version}: renamed: {', '.join(told)}")
