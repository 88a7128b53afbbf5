"""The report: one file, no script, readable on paper, on a telephone and by a screen reader."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from caseferry import __version__
from caseferry.mapping.target import load_target
from caseferry.rules import plainly
from tasks.verify.proof import Proof

_HERE = Path(__file__).parent
_BAR = 640
STATES = {
    "completed": "Complete", "completed_with_differences": "Complete, with differences to look at", "failed": "Failed",
}  # fmt: skip


OUTCOMES = {
    "carried": "carried as it is", "emptied": "left empty", "quarantined": "waits for you", "excluded": "not taken", "merged": "put together",
}  # fmt: skip


@cache
def template() -> Template:
    """The page, compiled once for each process."""
    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("report.html.j2")


def report_html(ledger: dict[str, Any], proof: Proof) -> str:
    read = sum(t["read"] for t in ledger["types"])
    totals = {
        "read": read, "carried": sum(t["carried"] for t in ledger["types"]), "merged": sum(t["merged"] for t in ledger["types"]),
        "excluded": sum(t["excluded"] for t in ledger["types"]), "quarantined": sum(t["quarantined"] for t in ledger["types"]),
    }  # fmt: skip
    return template().render(
        ledger=ledger, sample=_by_type(proof.sample.found), due=proof.deadlines.found, totals=totals, bars=[_bar(t, ledger) for t in ledger["types"]],
        state=STATES[ledger["state"]], states=STATES, target_waits=sum(one["waiting"] for one in ledger["targets"]), target_titles=", ".join(_titles(ledger)), plainly=plainly, number=_number, money=_money, outcome=OUTCOMES, version=__version__,
        quality=[_quality(q) for q in ledger["quality"] if q["record"] != "excluded"], titles={t["record"]: t["title"] for t in ledger["types"]}, waiting=_waiting(proof), firm=proof.evidence.migration.firm_name,
    )  # fmt: skip


def _quality(report: dict[str, Any]) -> dict[str, Any]:
    """What a person reads of a list's quality: counts by column, never a cell."""
    empty = [f"{c['heading']} {c['empty']:,}" for c in report["columns"] if c.get("important") and c["empty"]]
    return report | {
        "empty": "; ".join([*empty, *(f"{field.replace('_', ' ')}: no such column" for field in report["missing"])]),
        "mixed": "; ".join(c["heading"] for c in report["columns"] if c.get("mixed")),
        "twice": "; ".join(f"{one['groups']:,} groups of {one['rows']:,} rows by {one['keys']}" for one in report["duplicates"]["by"]),
    }


def _by_type(sample: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for one in sample:
        grouped.setdefault(one["record"], []).append(one)
    return grouped


def _bar(line: dict[str, Any], ledger: dict[str, Any]) -> dict[str, Any]:
    """One bar of the funnel: the parts of a type's rows as widths that add up to the whole."""
    most = max((t["read"] for t in ledger["types"]), default=1) or 1
    width = max(6.0, _BAR * line["read"] / most)
    at, parts = 0.0, []
    for name in ("carried", "merged", "excluded", "quarantined"):
        share = width * line[name] / max(1, line["read"])
        if share:
            parts.append({"name": name, "x": f"{at:.1f}", "width": f"{share:.1f}", "count": line[name]})
            at += share
    return {"title": line["title"], "parts": parts, **line}


def _waiting(proof: Proof) -> list[dict[str, Any]]:
    """What waits for a person, by reason, with the first row of each as an address."""
    files = {t.id: t.file for t in proof.evidence.split.tables}
    return [{**group, "file": files.get(group["table"], "documents")} for group in proof.waiting.groups]


def _titles(ledger: dict[str, Any]) -> list[str]:
    """What the targets are called, in the order the firm names them."""
    mapped = {one["target"]: one["title"] for one in ledger["targets"]}
    return [mapped[name] if name in mapped else load_target(name).title for name in ledger["named"]]


def _number(value: int) -> str:
    return f"{value:,}"


def _money(value: str) -> str:
    return f"{Decimal(value):,.2f}"
