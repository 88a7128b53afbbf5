"""What a column may mean in a kind of list, by its heading, its values, and what it points at."""

from collections.abc import Iterable, Sequence

from caseferry.profiling.columns import Column
from caseferry.profiling.kinds import KINDS
from caseferry.profiling.listed import Link
from caseferry.profiling.words import Likeness, likenesses, words_in
from caseferry.records import RECORDS, Type

KEYS = {"matter": ("number", "source_id"), "contact": ("source_id",)}
"""The fields of a record that others name it by."""
_POINTING = {"matter": ("matter",), "contact": ("client", "contact")}
"""The fields that name a record of a kind, in all others."""
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


def pointing(kind: str, to: str, link: Link) -> Iterable[tuple[str, float, str]]:
    """What a column means that points at matters or contacts: them."""
    name = next((name for name in _POINTING[to] if name in RECORDS[KINDS[kind].record].names()), "")
    if name and kind != to:
        yield name, 0.95 * link.share, f"its values are those of {link.key.heading!r} in {link.where}"


def meanings(kind: str, column: Column) -> Iterable[tuple[str, float, str]]:
    """The fields a column may feed, each with how likely it is, and why."""
    told = _told(kind, column)
    record = RECORDS[KINDS[kind].record]
    for like in told:
        share, why = _fits(record[like.field].type, column)
        if _other_unit(record[like.field].type, column):
            continue
        if like.field in KEYS.get(kind, ()):
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
