"""docs/performance.md and its picture, from the figures of the last run and nothing else."""

import json
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "performance.md"
PICTURE = DOCS / "performance.svg"
FULL = Path(__file__).parent / "results" / "full.json"
STACK = "stack"
"""Among the figures of the sizes: seconds of `huge` on a running stack."""
TITLES = {
    "caseferry_parts": "**Caseferry**, every change and finding told", "duckdb_sql": "DuckDB, SQL", "pandas_arrow": "pandas with Arrow", "plain_csv": "Python's csv, row by row",
    "pydantic_rows": "Pydantic model per row", "petl_tables": "petl", "dlt_pages": "dlt, pages to CSV", "singer_pipe": "Singer, tap and target", "floor: time": "floor: Polars, scan to sink", "floor: duckdb": "floor: DuckDB COPY", "floor: copy": "floor: the bytes copied",
}  # fmt: skip
LOGGED = ("caseferry_parts", "duckdb_sql", "pandas_arrow", "plain_csv", "pydantic_rows")
"""Who writes the log of changes too, where it is asked for."""
PEERS = tuple(name for name in TITLES if not name.startswith("floor") and name != "caseferry_parts")

_Row = tuple[str, str, str, str, bool | None]
_VERDICTS = {True: "met", False: "**not met**", None: "not told"}


def spread(some: list[float], show: Callable[[float], str] = lambda value: f"{value:.1f}") -> str:
    """The middle one, and between which they lie."""
    middle = show(statistics.median(some))
    return middle if len(some) == 1 else f"{middle} ({show(min(some))} to {show(max(some))})"


def render(results: dict[str, Any]) -> str:
    """The page. Writes the picture beside it."""
    journeys, work = results["journey"], results["time entries"]
    rows = journeys[0]["ours"]["said"]["rows"]
    ratio = [one["ours"]["cpu"] / one["floor"]["cpu"] for one in journeys]
    steps = {name: statistics.median(one["ours"]["said"]["steps"][name] for one in journeys) for name in journeys[0]["ours"]["said"]["steps"]}
    floor = statistics.median(one["cpu"] for one in work["floor: time"])
    ours = statistics.median(one["cpu"] for one in work["caseferry_parts"])
    lines = [
        "# Performance", "",
        f"`make bench` on {results['machine']}, {results['day']}. CPU seconds of whole processes, medians of {results['rounds']} rounds and between which they lie; what is slow was measured once. Polars has one thread a process, as workers run it, in the floor too. The machine is shared: believe the ratios, which are taken within a round.", "",
        *asked(results),
        "## The whole journey", "",
        f"An export of {rows:,} rows, upload to verified, in one process: unpack, tell, cut, transform, merge, write the import files, count all of it again, and every report. The floor unpacks the same archive with isal and sends each list through Polars from scan to sink.", "",
        "| what | figure |", "|---|---|",
        f"| CPU seconds | {spread([one['ours']['cpu'] for one in journeys])} |",
        f"| of the floor | {spread([one['floor']['cpu'] for one in journeys])} |",
        f"| ratio | {spread(ratio)} |",
        f"| rows a CPU second | {rows / statistics.median(one['ours']['cpu'] for one in journeys):,.0f} |",
        f"| largest process, readers too, MB | {max(one['ours']['largest'] for one in journeys):,} |",
        *(f"| … of it {name}, CPU seconds | {value:.1f} |" for name, value in steps.items()), "",
        "## Time entries against others", "",
        f"The transform alone, whole process, {sum(entries_of(work)):,} entries ({results['peers']}); every one counted the same rows and cents.", "",
        "![CPU seconds](performance.svg)", "",
        "| who | CPU seconds | times the floor | ours against it | memory, MB |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for name, title in TITLES.items():
        cpu = [one["cpu"] for one in work[name]]
        against = "" if name.startswith("floor") or name == "caseferry_parts" else f"{statistics.median(cpu) / ours:.1f}x"
        lines.append(f"| {title} | {spread(cpu, lambda value: f'{value:.2f}')} | {statistics.median(cpu) / floor:.1f} | {against} | {max(one['memory'] for one in work[name]):,} |")
    lines += ["", "The same, and a log of every cell that is written otherwise: what it was, and what it is.", "", "| who | CPU seconds | times the floor | ours against it |", "|---|---|---|---|"]
    logged = {name: statistics.median(one["cpu"] for one in work[f"{name} log"]) for name in LOGGED}
    for name, cpu in logged.items():
        against = "" if name == "caseferry_parts" else f"{cpu / logged['caseferry_parts']:.1f}x"
        figure = spread([one["cpu"] for one in work[f"{name} log"]], lambda value: f"{value:.2f}")
        lines.append(f"| {TITLES[name]} | {figure} | {cpu / floor:.1f} | {against} |")
    lines += ["", "## Values a second of CPU", "", "| column | values |", "|---|---|", *(f"| {name} | {count:,} |" for name, count in results["fields"].items()), ""]
    ratios = [one["1"] / one["2"] for one in results["parts"]]
    lines += ["## One worker and two", "", f"The parts of the same export, by one process and by two: {spread([one['1'] for one in results['parts']])} s and {spread([one['2'] for one in results['parts']])} s, **{spread(ratios, lambda value: f'{value:.2f}')} times** as fast. The two share the machine with whatever else runs on it.", ""]
    lines += ["## On a running stack", "", "Upload to verified, two processes, broker and S3 server on the same two cores, warm.", "", "| what | seconds |", "|---|---|"]
    stack = results.get("stack", {})
    for name, title in (("sample", "a firm of 500 clients, alone"), ("large", "the large one"), ("beside", "a firm of 500 clients while the large one is on its way")):
        if stack.get(name):
            lines.append(f"| {title} | {spread(stack[name])} |")
    if stack.get("beside"):
        p95 = p95_of(stack["beside"])
        lines.append(f"| … p95 of {len(stack['beside'])}, against alone | {p95:.1f} = {p95 / statistics.median(stack['sample']):.1f}x; the longest {max(stack['beside']):.1f} |")
    if stack.get("large"):
        lines.append(f"| … of the large one, what its steps take over a folder, the parts by two | {without_servers(journeys):.1f} |")
    lines += [f"| `caseferry --help` | {results['help']:.2f} |", "", "Versions: " + ", ".join(f"{name} {version}" for name, version in results["versions"].items()) + ".", ""]
    lines += beyond()
    PICTURE.write_text(picture({TITLES[name].replace("*", ""): statistics.median(one["cpu"] for one in work[name]) for name in TITLES}))
    return "\n".join(lines)


def without_servers(journeys: list[dict[str, Any]]) -> float:
    """Seconds the steps of the journey take over a folder, one after the other, the parts by two."""
    walls = [one["ours"]["said"]["walls"] for one in journeys]
    return statistics.median(sum(seconds / (2 if step == "transform" else 1) for step, seconds in one.items()) for one in walls)


def _full() -> dict[str, Any]:
    return dict(json.loads(FULL.read_text())) if FULL.exists() else {}


def _largest_there(stack: dict[str, Any], size: str) -> list[_Row]:
    """The largest of all processes of a stack, servers too, that carried several long runs one behind the other."""
    if "largest" not in stack:
        return []
    [most], [runs] = stack["largest"], stack["longest"]
    return [(f"largest process of a stack after {runs:.0f} runs of {size}", "600 MB", "400 MB", f"{most:,.0f} MB", most <= 600)]


def _asked_beyond() -> list[_Row]:
    full = _full()
    if not {"large", "huge"} <= set(full):
        return []
    huge, large = full["huge"], full["large"]
    whole, loop = huge["cpu"] / huge["floors"]["whole"], huge.get("entries", huge["steps"]["transform"]) / huge["floors"]["time"]
    row = (huge["cpu"] / huge["rows"]) / (large["cpu"] / large["rows"])
    stack, sizes = full.get(STACK), [name for name in full if name != STACK]
    most = max(full[name]["largest"] for name in sizes)
    running = []
    if stack:
        alone, took, p95 = statistics.median(stack["sample"]), statistics.median(stack["large"]), p95_of(stack["beside"])
        running = [
            ("huge on a running stack", "90 s", "45 s", f"{took:.0f} s", took <= 90),
            (f"small firm beside huge, p95 of {len(stack['beside'])}", "3x", "2x", f"{p95 / alone:.1f}x", p95 <= 3 * alone),
            *_largest_there(stack, "huge"),
        ]
    return [
        *running,
        ("whole journey, huge, against its floor", "4x", "2.5x", f"{whole:.1f}x", whole <= 4),
        ("its parts of time entries, against Polars from scan to sink" if "entries" in huge else "its parts of every list, against Polars from scan to sink of the time entries", "2x", "1.4x", f"{loop:.1f}x", loop <= 2),
        ("CPU per row, huge against large", "1x", "", f"{row:.2f}x", row <= 1),
        (f"largest process at {', '.join(sizes)}", "600 MB", "400 MB", f"{most:,} MB", most <= 600),
    ]


def beyond() -> list[str]:
    """The sizes of `make bench-full`, as last measured."""
    full = _full()
    if not full:
        return []
    lines = ["## Beyond a firm", "", "`make bench-full`: one process over a folder on disk, from upload to verified. `huge` has ten times the work of `large`; `sheets` is `large` with its million entries in one sheet of a workbook; `long` is a smaller firm whose notes are one list of 10 GB.", "",
             "| size | rows | bytes unpacked | CPU s | µs a row | wall s | this process, MB | largest, readers too, MB |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name, one in full.items():
        if name == STACK:
            continue
        lines.append(f"| {name} | {one['rows']:,} | {one['bytes'] / 1e9:.1f} GB | {one['cpu']:,.0f} | {1e6 * one['cpu'] / one['rows']:.1f} | {one['wall']:,.0f} | {one['memory']:,} | {one['largest']:,} |")
    if STACK in full:
        stack = full[STACK]
        lines += ["", f"`huge` on a warm stack of two processes, with broker and S3 server on the same two cores: {spread(stack['large'])} s from upload to verified. A firm of 500 clients takes {spread(stack['sample'])} s there alone, and {spread(stack['beside'])} s while `huge` is on its way (p95 of {len(stack['beside'])}: {p95_of(stack['beside']):.1f} s, the longest {max(stack['beside']):.1f} s)."]
    return [*lines, ""]


def p95_of(seconds: list[float]) -> float:
    """The smallest that 95 of a hundred do not pass (nearest rank): of 20 the last but one."""
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


def asked(results: dict[str, Any]) -> list[str]:
    """What this was meant to reach, and whether it does: medians of this run."""
    work, stack, fields = results["time entries"], results.get("stack", {}), results["fields"]
    ours = statistics.median(one["cpu"] for one in work["caseferry_parts"])
    journeys = results["journey"]
    ratio = statistics.median(one["ours"]["cpu"] / one["floor"]["cpu"] for one in journeys)
    slower = [TITLES[name] for name in PEERS if statistics.median(one["cpu"] for one in work[name]) < ours]
    pairs = statistics.median(one["1"] / one["2"] for one in results["parts"])
    memory = max(one["ours"]["largest"] for one in journeys)
    rows = [
        (f"whole journey, {results['size']}, against its floor", "5x", "3x", f"{ratio:.1f}x", ratio <= 5),
        ("transform of time entries, against each peer", "faster than each", "2x and more", f"slower than {', '.join(slower)}" if slower else "faster than each", not slower),
        ("largest process", "600 MB", "400 MB", f"{memory} MB", memory <= 600),
        ("one worker to two, parts", "1.6x", "1.8x", f"{pairs:.2f}x", pairs >= 1.6),
        *((f"{name}, values a CPU second", f"{must:,}", f"{goal:,}", f"{fields[name]:,}", fields[name] >= must)
          for name, must, goal in (("phones", 800_000, 1_900_000), ("names", 500_000, 1_400_000), ("dates", 5_000_000, 20_000_000))),
        ("`caseferry --help`", "0.5 s", "0.3 s", f"{results['help']:.2f} s", results["help"] <= 0.5),
    ]  # fmt: skip
    if stack:
        alone, took = statistics.median(stack["sample"]), statistics.median(stack["large"])
        share = 1 - without_servers(journeys) / took
        rows += [
            ("firm of 500 clients on a running stack", "2 s", "1 s", f"{alone:.1f} s", alone <= 2),
            (f"{results['size']} on a running stack", "25 s", "15 s", f"{took:.0f} s", took <= 25),
            ("of it Celery, S3 and bookkeeping", "25 %", "10 %", *((f"{share:.0%}", share <= 0.25) if share >= 0 else ("its steps alone took longer, in slower minutes", None))),
            (f"small firm beside {results['size']}, p95 of {len(stack['beside'])}", "3x", "2x", f"{p95_of(stack['beside']) / alone:.1f}x", p95_of(stack["beside"]) <= 3 * alone),
            *_largest_there(stack, results["size"]),
        ]
    rows += _asked_beyond()
    lines = ["## What was meant to be reached", "", "| what | must | goal | now | |", "|---|---|---|---|---|"]
    return lines + [f"| {what} | {must} | {goal} | {now} | {_VERDICTS[met]} |" for what, must, goal, now, met in rows] + [""]


def entries_of(work: dict[str, Any]) -> list[int]:
    """Time entries by where they ended."""
    said = work["caseferry_parts"][0]["said"]
    return [said[place] for place in ("carried", "excluded", "quarantined")]


def picture(bars: dict[str, float]) -> str:
    """Bars, longest last; a title and a description for whoever does not see them."""
    most, height = max(bars.values()), 28
    drawn = []
    for place, (name, value) in enumerate(sorted(bars.items(), key=lambda bar: bar[1])):
        y, width, fill = 10 + place * height, max(2, 420 * value / most), "#0a5c8a" if name.startswith("Caseferry") else "#9aa5ad"
        drawn.append(f'<text x="270" y="{y + 15}" text-anchor="end">{escape(name)}</text><rect x="280" y="{y}" width="{width:.0f}" height="20" fill="{fill}"/><text x="{286 + width:.0f}" y="{y + 15}">{value:.2f}</text>')
    tall = 20 + len(bars) * height
    style = "text{font:13px sans-serif;fill:#222}@media(prefers-color-scheme:dark){text{fill:#ddd}}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {tall}" role="img"><title>CPU seconds for the same transform of time entries</title><style>{style}</style>{"".join(drawn)}</svg>\n'
