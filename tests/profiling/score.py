"""How sensibly the lists of a corpus are read, and whether every row of it is accounted for when the draft is run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from caseferry.mapping import profile as profiles
from caseferry.mapping.headings import normal
from tests.profiling.corpus import Export, Want
from workers.commands.app import app

SURE = 0.6
"""A confidence from which on a wrong proposal would be believed."""
OWNERS = ["--account-owner", "--dates", "mdy", "--user", "JD <jd@firm.example>", "--user", "RR <rr@firm.example>", "--user", "AB <ab@firm.example>", "--primary-subscriber", "jd@firm.example"]
_MONEY = {"trust", "receivable", "bill_payments", "invoices", "trust_account_transactions", "operating_account_transactions"}


@dataclass(frozen=True)
class Mark:
    """How one list was read."""

    name: str
    want: Want
    got: str
    confidence: float
    fields: int
    """Of those that had to be mapped, how many are, and from the right column."""
    links: int
    missed: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        return self.got in (self.want.record, *self.want.also)

    @property
    def is_nothing(self) -> bool:
        return not self.got

    @property
    def is_wrong(self) -> bool:
        return not self.is_right and not self.is_nothing

    @property
    def mixes_money(self) -> bool:
        """Something is taken for money held or owed that is not, or one kind of money for another."""
        return self.is_wrong and (self.got in ("trust", "receivable") or {self.got, self.want.record} <= _MONEY)

    @property
    def shown(self) -> str:
        told = "right" if self.is_right else "WRONG" if self.is_wrong else "nothing"
        return f"{told:<8} {self.name:<44} {self.want.record or '-':<30} {self.got or '-':<30} {self.confidence:.2f}  {self.fields}/{len(self.want.fields)} fields, {self.links}/{len(self.want.links)} links  {'; '.join(self.missed)}"


@dataclass(frozen=True)
class Rows:
    """What became of an export when its draft was run."""

    export: str
    state: str
    lines: int
    """Of all its lists, as `map` counts them."""
    accounted: int
    """Lines of lists that were read, and of lists named as unknown."""
    rows: dict[str, int]
    """Of the lists that were read: rows by what became of them."""
    proposed: int
    """Lists that were taken for something."""
    unlike: tuple[str, ...]
    """Lists that were read as something else than was proposed: guessed without a word."""

    @property
    def is_whole(self) -> bool:
        if self.state == "refused" and not self.proposed:
            return True  # none of its lists is anything: it is refused with that reason, and no row is read
        kept = sum(self.rows[name] for name in ("carried", "merged", "excluded", "quarantined"))
        return self.lines == self.accounted and kept == self.rows["read"] and self.state.startswith("completed") and not self.unlike

    @property
    def shown(self) -> str:
        return f"{'whole' if self.is_whole else 'NOT WHOLE':<10} {self.export:<18} {self.state:<28} {self.lines} lines, {self.accounted} accounted for; {self.rows} {'; '.join(self.unlike)}"


def mapped(export: Path, out: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["map", str(export), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout[result.stdout.index("{") :])
    return told


def score(export: Export, folder: Path) -> tuple[list[Mark], dict[str, Any]]:
    """Every list of an export that a person would have to map, marked."""
    place, out = export.lay(folder), folder / f"{export.name}.yaml"
    told = {one["list"]: one for one in mapped(place, out)["lists"]}
    tables = (yaml.safe_load(out.read_text())["tables"] or {}) if out.exists() else {}
    drafted = {one["about"]: one for one in tables.values() if one}
    return [_mark(f"{export.name}/{name}", want, told.get(name, {}), drafted.get(name)) for name, want in export.wants.items()], told


def _mark(name: str, want: Want, told: dict[str, Any], table: dict[str, Any] | None) -> Mark:
    got, columns = str(told.get("is", "")), {}
    if table:
        got = str(table.get("exclusion") or table["record"])
        columns = {**table.get("columns", {}), **{field: one["headings"] for field, one in table.get("joined", {}).items()}}
    elif got and told.get("by") != "proposed":  # a profile knew it
        meant = profiles.load_profile("leap").headings(got)
        columns = {meant[normal(heading)]: [heading] for heading in want.fields.values() if normal(heading) in meant}
        got = _known(got)
    missed = [f"{field} from {columns.get(field, 'nothing')}, not {heading!r}" for field, heading in want.fields.items() if not _is_there(columns.get(field, ()), heading)]
    points = told.get("points", ())
    missed_links = [f"{heading} to {where}" for heading, where in want.links.items() if not any(point.startswith(f"{heading!r} points at ") and f" of {where}:" in point for point in points)]
    return Mark(name, want, got, float(told.get("confidence", 0)), len(want.fields) - len(missed), len(want.links) - len(missed_links), (*missed, *missed_links))


def _known(kind: str) -> str:
    table = profiles.load_profile("leap").tables.get(kind)
    return (table.exclusion or table.record) if table else kind


def _is_there(headings: Any, heading: str) -> bool:
    return list(headings) == heading.split(" + ") if " + " in heading else heading in headings


def carried(export: Export, folder: Path, told: dict[str, Any]) -> Rows:
    """Run an export with its draft: rows in, rows accounted for."""
    place, draft, out = folder / export.name, folder / f"{export.name}.yaml", folder / f"{export.name}-out"
    source = ["--source", str(draft)] if draft.exists() else []
    lines = sum(one["rows"] for one in told.values())
    result = CliRunner().invoke(app, ["run", str(place), *source, "--out", str(out), *OWNERS])
    tables = yaml.safe_load(draft.read_text())["tables"] if draft.exists() else {}
    profiles._OWN.clear()
    profiles.load_profile.cache_clear()
    profiles.known_evidence.cache_clear()
    if not (out / "ledger.json").is_file():
        return Rows(export.name, "refused" if "CF-104" in result.output else result.output, lines, 0, dict.fromkeys(_PLACES, 0), sum(1 for one in told.values() if one["is"]), ())
    ledger = json.loads((out / "ledger.json").read_text())
    rows = {place: sum(one[place] for one in ledger["types"]) for place in _PLACES}
    accounted = sum(sum(one["lines"].values()) for one in ledger["columns"]) + sum(one["rows"] for one in ledger["unknown_tables"])
    unlike = []
    for one in ledger["columns"]:
        where, table = one["file"] + (f" › {one['sheet']}" if one["sheet"] else ""), tables.get(one["kind"])
        got = str(table.get("exclusion") or table["record"]) if table else _known(one["kind"])
        said = told[where]["is"] if told[where]["by"] == "proposed" else _known(told[where]["is"])
        if got != said:
            unlike.append(f"{where}: proposed {said or 'nothing'}, read as {got}")
    return Rows(export.name, ledger["state"], lines, accounted, rows, sum(1 for one in told.values() if one["is"]), tuple(unlike))


_PLACES = ("read", "carried", "merged", "excluded", "quarantined")
