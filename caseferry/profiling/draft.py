"""A proposal as a profile to edit: each line with its confidence and its reason, and no cell of the export."""

from collections import Counter
from collections.abc import Mapping, Sequence

from caseferry.mapping.headings import normal
from caseferry.profiling.columns import Column
from caseferry.profiling.listed import Listed, stem
from caseferry.profiling.proposal import NEEDS, Proposal, Use

_CUSTOM_TYPES = (("days", "date"), ("amounts", "currency"), ("addresses on the web", "url"), ("e-mail addresses", "email"), ("yes or no", "checkbox"), ("prose", "text_area"))


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
    title = normal(stem(listed)).replace(" ", "_") or "list"
    name, number = f"own_{title}", 1
    while name in taken:
        number += 1
        name = f"own_{title}_{number}"
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
    groups = ", ".join(f"[{', '.join(group)}]" for group in NEEDS[proposal.record])
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
