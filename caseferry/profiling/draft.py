"""A proposal as a profile to edit: each line with its confidence and its reason, and no cell of the export."""

from collections import Counter
from collections.abc import Mapping, Sequence

from caseferry.mapping.headings import normal
from caseferry.profiling.columns import Column
from caseferry.profiling.kinds import KINDS
from caseferry.profiling.listed import Listed, stem
from caseferry.profiling.proposal import Proposal, Use
from caseferry.records import RECORDS

_CUSTOM_TYPES = (("days", "date"), ("amounts", "currency"), ("addresses on the web", "url"), ("e-mail addresses", "email"), ("yes or no", "checkbox"), ("prose", "text_area"))


def custom_type(column: Column) -> str:
    """The type of the custom field a column becomes."""
    return next((kind for holds, kind in _CUSTOM_TYPES if column.is_mostly(holds)), "text_line")


_LEGEND = """# Behind each line stands how sure it is, from 0 to 1, and why. LOOK marks what is hardly more than a guess.
#   not_ours   lists that are not read: nothing is taken for them, and the report names them
#   record     what the rows of a list become; with an exclusion they are counted and totalled, and not carried
#   evidence   the headings a list is told by, whatever its file is called
#   must       of each group one field has to be there, or it is another list
#   columns    a field, and the headings that feed it: move a heading to the field it means, or take the line out
#   joined     a field that several columns make together
#   custom     columns that become custom fields; archive, leave: columns that stay behind
# Edit it, then read the export with it: caseferry check EXPORT --source THIS_FILE
"""
_DOUBTFUL = 0.6


def as_yaml(source: str, product: str, proposals: Sequence[Proposal]) -> str:
    """The draft, each line with its confidence and its reason. No cell of the export is in it."""
    lines = [
        f"# A draft for {_quoted(product)}, made from one export. Every line is a proposal.", *_LEGEND.splitlines(),
        f"source: {_quoted(source)}", f"product: {_quoted(product)}", "like: leap    # what this file does not say is said there", "",
    ]  # fmt: skip
    left = [proposal for proposal in proposals if not proposal.record]
    if left:
        lines += ["# Nothing is proposed for these. To read one, take it out here and write a table for it.", "not_ours:", *(line for one in left for line in _left(one)), ""]
    told = [proposal for proposal in proposals if proposal.record]
    lines.append("tables:" if told else "tables: {}")
    names: set[str] = set()
    common = Counter(normal(column.heading) for proposal in proposals for column in proposal.listed.columns if column.heading)
    layouts = []
    for proposal in told:
        name = _name(proposal.listed, names)
        lines += _table(name, proposal, common)
        layouts.append(f"  {_quoted(name)}: [{', '.join(_quoted(column.heading) for column in proposal.listed.columns if column.heading)}]")
    if layouts:
        lines += ["# What the headings were: an export that differs is told as changed since this version.", "version: 1", "layouts:", *layouts]
    return "\n".join(lines).rstrip() + "\n"


def _name(listed: Listed, taken: set[str]) -> str:
    title = normal(stem(listed)).replace(" ", "_") or "list"
    name, number = f"own_{title}", 1
    while name in taken:
        number += 1
        name = f"own_{title}_{number}"
    taken.add(name)
    return name


def _left(proposal: Proposal) -> list[str]:
    """A list nothing is proposed for: why, what its columns hold, and the headings it is told by."""
    listed = proposal.listed
    headings = ", ".join(_quoted(column.heading) for column in listed.columns if column.heading)
    return [
        *_head(listed), f"  # {proposal.why}",
        *(f"  #   {_quoted(use.column.heading)}: {use.reason}" for use in proposal.uses if use.column.heading), f"  - [{headings}]",
    ]  # fmt: skip


def _head(listed: Listed) -> list[str]:
    return [f"  # {_quoted(listed.where)}: {listed.rows:,} rows, header in row {listed.header_row + 1}", *(f"  # {point}" for point in listed.points)]


def _table(name: str, proposal: Proposal, common: Mapping[str, int]) -> list[str]:
    listed, together = proposal.listed, proposal.together or {}
    next_best = f", next best: {proposal.next_best}" if proposal.next_best else ""
    lines = [*_head(listed), f"  {_quoted(name)}:", f"    record: {proposal.record}    # {_sure(proposal.confidence)}{next_best}"]
    if proposal.exclusion:
        lines.append(f"    exclusion: {proposal.exclusion}    # counted and totalled, not carried")
    lines += [f"    about: {_quoted(listed.where)}", f"    evidence: [{_evidence(listed, common)}]"]
    by_field: dict[str, list[Use]] = {}
    for use in proposal.uses:
        if use.field:
            by_field.setdefault(use.field, []).append(use)
    groups = [", ".join(field for field in group if field in by_field or field in together) for group in KINDS[proposal.kind].needs]
    lines += [f"    must: [{', '.join(f'[{group}]' for group in groups)}]", "    columns:"]
    for field, uses in ((name, uses) for name, uses in by_field.items() if name not in together):
        shown = ", ".join(_quoted(use.column.heading) for use in uses)
        lines.append(f"      {field}: [{shown}]    # " + "; and ".join(f"{_sure(use.confidence)} {use.reason}" for use in uses))
    free = [field for field in RECORDS[proposal.record].names() - by_field.keys() - together.keys()]
    if free and not proposal.exclusion:
        lines.append(f"      # nothing is proposed for: {', '.join(sorted(free))}")
    if together:
        lines.append("    joined:")
        lines += [f"      {field}: {{headings: [{', '.join(_quoted(c.heading) for c in one.columns)}], between: '{one.between}'}}    # {one.reason}" for field, one in together.items()]
    if proposal.by_id:
        lines.append("    matter_by: id    # its rows name matters by their id, not by their number")
    return [*lines, *_rest([use.column for use in proposal.uses if not use.field and use.column.heading], proposal.record), ""]


def _rest(columns: Sequence[Column], record: str) -> list[str]:
    """The columns that mean no field: custom fields where the record has them; else they stay in the archive."""
    parent = {"contact": "Contact", "matter": "Matter"}.get(record)
    empty = [column for column in columns if not column.filled]
    ids = [column for column in columns if parent and column.is_mostly("ids of a database")]
    others = [column for column in columns if column not in empty and column not in ids]
    lines = []
    if others and parent:
        lines.append("    custom:    # nobody knows these: each becomes a custom field of its own")
        lines += [f"      {_quoted(c.heading)}: {{parent: {parent}, headings: [], type: {custom_type(c)}}}    # {c.shown}" for c in others]
    elif others:
        lines += ["    # These stay in the archive unless you name a field for them:", *(f"    #   {_quoted(c.heading)}: {c.shown}" for c in others)]
    if ids:
        lines.append(f"    archive: [{', '.join(_quoted(c.heading) for c in ids)}]    # ids of the old database")
    if empty:
        lines.append(f"    leave: [{', '.join(_quoted(c.heading) for c in empty)}]    # empty")
    return lines


def _sure(confidence: float) -> str:
    return f"{confidence:.2f}" if confidence >= _DOUBTFUL else f"LOOK {confidence:.2f}"


def _evidence(listed: Listed, common: Mapping[str, int]) -> str:
    """The headings that tell this list from the others of the export; all of them where too few are its own."""
    every = [column.heading for column in listed.columns if column.heading]
    own = [heading for heading in every if common[normal(heading)] == 1]
    return ", ".join(map(_quoted, own if len(own) >= 2 else every))


def _quoted(text: str) -> str:
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(char if char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text) + '"'
