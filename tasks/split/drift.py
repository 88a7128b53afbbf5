"""How a list differs from the one its profile was written for: columns that are new, missing, or called otherwise."""

from difflib import get_close_matches

from caseferry.manifest import Finding, Table
from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile

_ALIKE = 0.72
"""From which on two headings are taken for one that was renamed."""
_LONGEST, _MOST = 80, 200
"""Letters of a heading, and headings of a list, that are compared: nobody names columns in novels."""


def layout_changed(table: Table, profile: Profile) -> Finding | None:
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
    for old in list(missing):
        now = _renamed(old, new, table, profile)
        if now:
            missing.remove(old)
            new.remove(now)
            renamed.append(f"{known[old]!r} is now {have[now]!r}")
    told = [
        *([f"renamed: {', '.join(renamed)}"] if renamed else []), *([f"new: {', '.join(repr(have[name]) for name in new)}"] if new else []),
        *([f"missing: {', '.join(repr(known[name]) for name in missing)}"] if missing else []),
    ]  # fmt: skip
    where = " › ".join(filter(None, (table.file, table.sheet)))
    return Finding(rule="layout_changed", where=where, count=len(renamed) + len(new) + len(missing), detail=f"changed since profile v{profile.version}: {'; '.join(told)}")


def _renamed(old: str, new: list[str], table: Table, profile: Profile) -> str:
    """The new heading that takes an old one's place: it feeds the same field, or is spelt nearly the same."""
    meant = profile.headings(table.kind)
    field = meant.get(old)
    same = next((name for name in new if field and meant.get(name) == field), "")
    if same:
        return same
    free = [name for name in new if name not in meant and len(name) <= _LONGEST][:_MOST]
    return next(iter(get_close_matches(old, free, 1, _ALIKE)), "")


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
