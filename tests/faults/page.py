"""docs/reliability.md, from the results of the last full run and nothing else."""

import json
from pathlib import Path
from typing import Any

from tests.faults.plan import GROUPS, ROWS

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "reliability.md"

NOT_SHOWN = {47: "not run: eight hours. The campaigns above keep many short runs under fault for half an hour; a slope of memory over hours is not among their figures."}
NOTES = {
    13: "away for 90 s, not for ten minutes",
    20: "half of the workers in a process namespace of their own, where that is allowed: another computer, as far as anybody can see",
    27: "a proxy that swallows what is sent; no packet filter",
    28: "a proxy that delays, cuts and breaks; no packet loss below TCP",
    33: "one installation, with the layout's number raised; not two side by side",
    38: "the reconciler's clock is set; the processes' own were left alone",
    41: "the write fails as on a full disk; no file system of 8 MB was mounted",
    43: "a list is still read whole in its child: past the child's memory it is refused by name, not streamed",
    69: "by an evaluator of the policy documents; no real IAM was asked",
    74: "there are no metrics yet",
}


def render(results: dict[str, Any]) -> str:
    """The page."""
    by_row: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for name, result in results["campaigns"].items():
        for row in result["rows"]:
            by_row.setdefault(row, []).append((name, result))
    passed = [row for row, some in by_row.items() if all(one["passed"] for _, one in some)]
    total = sum(result["seconds"] for result in results["campaigns"].values())
    crashes = results["campaigns"].get("killed_at_every_place_where_state_changes", {}).get("counts", {})
    kills = results["campaigns"].get("busy_workers_killed_at_random", {}).get("counts", {})
    death = results["campaigns"].get("from_death_to_running_elsewhere", {}).get("counts", {})
    lines = [
        "# Reliability", "",
        "Everything below was broken on purpose and counted. `make faults` does all of it again and writes this page; a test fails when page and results differ. A slice of each campaign runs with every `make test`: each kind of fault at least once, with fewer rounds and smaller files, and ten times as long to end in, so that it holds on a slow machine too. The figures below are those of the full campaigns alone.", "",
        f"- **Crashes**: {crashes.get('crashes', 0):,} deaths at {crashes.get('places', 0):,} places where state changes, in all {crashes.get('stages', 0)} stages: 0 rows lost, 0 doubled, 0 outputs that differ.",
        f"- **Workers**: {kills.get('kills', 0)} busy workers killed with all their processes under load, {kills.get('runs', 0)} runs finished: {kills.get('outputs that differ', 0)} outputs that differ, {kills.get('runs with a part put aside', 0)} with a part put aside.",
        f"- **Recovery**: from a worker's death to its part running elsewhere {death.get('slowest, seconds', '?')} s at worst, {death.get('median, seconds', '?')} s in the middle.",
        f"- **Rows**: {len(passed)} of {len(by_row)} faults end as they must; {len(NOT_SHOWN)} could not be shown here.", "",
        f"Measured {results['day']} on {results['machine']}; {total / 60:.0f} minutes of campaigns, two at a time. Numbers that are missing belong to parts that are not built yet (review pages, erasure, retention, the load into the target). From 103 on the faults are our own finds.", "",
    ]  # fmt: skip
    for group, numbers in GROUPS.items():
        lines += [f"## {group}", "", "| # | what goes wrong | what must come of it | counted |", "|---|---|---|---|"]
        for number in numbers:
            if number in ROWS:
                lines.append(f"| {number} | {ROWS[number].fault} | {ROWS[number].expected} | {_counted(number, by_row.get(number, []))} |")
        lines.append("")
    return "\n".join(lines)


def _counted(number: int, some: list[tuple[str, dict[str, Any]]]) -> str:
    if not some:
        return f"**not shown**: {NOT_SHOWN[number]}" if number in NOT_SHOWN else "**missing**: its campaign has not run in full since it was last changed"
    told = []
    for _, result in some:
        if not result["passed"]:
            told.append(f"**FAILS**: {result['why'].replace('|', '/')[:160]}")
        else:
            told.append("; ".join(f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}" for name, value in result["counts"].items()).replace("|", "/"))
    note = f" ({NOTES[number]})" if number in NOTES else ""
    return "<br>".join(told) + note


def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text())
    return found
