"""What a person at a terminal sees: messages, progress, the totals block."""

import json
import os
import sys
from decimal import Decimal
from typing import Any

from caseferry.codes import explain

_MARKS = {True: "✓", False: "✗"}


def plain() -> bool:
    """True where colour would be noise: not a terminal, or NO_COLOR is set."""
    return bool(os.environ.get("NO_COLOR")) or not sys.stdout.isatty()


def say(text: str = "") -> None:
    """A message for the person, on standard error, at once."""
    print(text, file=sys.stderr, flush=True)


def give(data: Any) -> None:
    """Data for a program, on standard output."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def message(code: str, where: str = "", detail: str = "", do: str = "") -> str:
    """One message in its fixed shape; no line is wider than 80 columns."""
    parts = explain(code, where, detail)
    lines = [f"✗ {code}  {parts['what']}"]
    for name in ("where", "why", "safe", "do"):
        text = (do if name == "do" and do else parts.get(name, "")) or ""
        if text:
            lines += _wrapped(name, text)
    lines += _wrapped("more", f"caseferry explain {code}")
    return "\n".join(lines)


def _wrapped(name: str, text: str) -> list[str]:
    import textwrap

    wrapped = textwrap.wrap(text, 68, break_long_words=False, break_on_hyphens=False) or [""]
    return [f"  {name if number == 0 else '':<8}{line}" for number, line in enumerate(wrapped)]


def totals(ledger: dict[str, Any]) -> list[str]:
    """The block that says whether everything arrived."""
    types = ledger["types"]
    read = sum(t["read"] for t in types)
    carried = sum(t["carried"] for t in types)
    merged, out = sum(t["merged"] for t in types), sum(t["excluded"] for t in types)
    waits = sum(t["quarantined"] for t in types)
    ok = carried + merged + out + waits == read
    every = [*ledger["files"], *(f for target in ledger["targets"] for f in target["files"])]
    imports = sum(1 for f in every if f["is_import"])
    made = sum(t["derived"] for t in types)
    lines = [
        f"  merged     {imports} import files, {len(every) - imports} files that are not for import",
        f"  verified   every row counted: {carried:,} carried + {merged:,} merged + {out:,} not taken",
        f"             + {waits:,} waiting = {read:,} exported  {_MARKS[ok]}" + (f"; {made:,} more records made besides" if made and ledger["targets"] else ""),
    ]
    for m in ledger["money"]:
        same = Decimal(m["difference"]) == 0
        shown = f"{Decimal(m['carried']):,.2f} = {Decimal(m['written']):,.2f}" if same else f"{Decimal(m['carried']):,.2f} ≠ {Decimal(m['written']):,.2f}"
        explained = " (every one explained)" if not same and all(d["explained"] for d in m["differences"]) else ""
        waits = f", {Decimal(m['quarantined']):,.2f} more waits" if Decimal(m["quarantined"]) else ""
        lines.append(f"             {m['title'].lower():<16} {m['currency']} {shown}  difference {Decimal(m['difference']):,.2f}{explained}  {_MARKS[same or bool(explained)]}{waits}")
    hours = ledger["hours"]
    lines.append(f"             {'hours':<16} {hours['carried']} = {hours['written']}  difference {hours['difference']}  {_MARKS[hours['difference'] == '0']}")
    lines.append(f"             client records, field by field: {ledger['accuracy']['percent']} %  {_MARKS[ledger['accuracy']['percent'] == '100']}")
    for target in ledger["targets"]:
        counts = [sum(r[name] for r in target["records"]) for name in ("in_files", "waiting", "not_held")]
        lines.append(f"  {target['target'][:10]:<10} {counts[0]:,} records in files, {counts[1]:,} wait, {counts[2]:,} it has no place for  {'✗' if target['state'] == 'failed' else '!' if counts[1] else '✓'}")
        lines += [f"             decide: {d['title'].lower()}, {d['rows']:,}: {' / '.join(d['choices'])}" for d in target["decisions"] if d["choices"] and not d["choice"]]
    for check in ledger["checks"]:
        if not check["passed"]:
            lines.append(f"  {'differs' if not check['hard'] else 'FAILED':<10} {check['title']}: {check['detail']}")
    return lines


def waiting(ledger: dict[str, Any], most: int = 6) -> list[str]:
    """What needs a person: lists that are missing, unread or unknown, then the groups of rows that wait."""
    from caseferry.rules import plainly

    lists = [f"    {plainly(n['rule'])} {n['where']}" for n in ledger["noted"] if n["rule"] in {"unreadable_file", "data_not_read", "expected_list_missing", "list_is_too_short", "ends_midway", "money_not_carried"}]
    lists += [f"    {plainly('unknown_table')} {u['file']}" for u in ledger["unknown_tables"]]
    lines = ["", "  lists to look at first:", *lists] if lists else []
    if ledger["undecided"]:
        some = "; ".join(f"{one['file']} › {one['column']}" for one in ledger["undecided"][:most])
        lines += ["", f"  {len(ledger['undecided'])} columns hold values and nobody has decided about them (CF-148); they are in no import file:", f"    {some}" + ("; …" if len(ledger["undecided"]) > most else "")]
    if ledger["deadlines_differ"]:
        lines += ["", f"  {ledger['deadlines_differ']:,} deadlines are not in the file as they were: see Deadlines in report.xlsx"]
    groups = [f for f in ledger["findings"] if f["outcome"] == "quarantined"]
    if not groups:
        return lines
    lines += ["", f"  {sum(t['quarantined'] for t in ledger['types']):,} rows need a decision:"]
    lines += [f"    {g['count']:>5}  {g['record'].replace('_', ' ')}: {plainly(g['rule'])}" for g in groups[:most]]
    missing = len({f["name"] for f in ledger["fallbacks"]})
    if missing:
        lines.append(f"    {missing} people named in the export have no active user; add them with --user or in migration.json")
    if len(groups) > most:
        lines.append(f"           … and {len(groups) - most} more groups in the report")
    return lines
