"""Beyond this machine: what many workers and many firms come to, by a simulation that is fed with what was measured here.

`python -m bench.scale` reads bench/results/large.json and writes docs/scale.md.

Each task takes its CPU seconds and its requests to the object store, some at a time; a run keeps a window of parts under
way; workers take what waits longest. Nothing is faster than measured here, and nothing fails.
"""

import heapq
import json
import random
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.journey import BATCHES, counted_apart, lays_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "scale.md"
RESULTS = ROOT / "bench" / "results" / "large.json"
ORDER = ("intake", "admit", "split", "transform", "merge", "link", "lay", "gather", "count", "verify")
"""The steps; `gather` is the merge of a run whose batches others have linked and laid."""
LAID = {"link": "link", "lay": "lay", "merge": "gather"}
"""What a run that was measured with its batches laid apart calls those, and what they are called here."""
PART_ROWS, LOAD_ROWS = 96_000, 8_000
WINDOWS = {"transform": 8, "count": 2}
LATENCY = 0.02
"""Seconds for one request: S3's order of magnitude, not measured here."""
AT_ONCE = 8
_LOGS = 0.1
"""The logs' share of counting again, which is one task however long a run is: measured, see decision 26."""
DAY = 10 * 3600
"""Seconds in which a day's firms arrive."""
MIX = ((0.90, "firm of 500 clients"), (0.09, "ten times it"), (0.01, "the largest"))
LONG_ROWS, LONG_SHARE = 1_000_000, 4
"""Rows about from which a run is as long as `work.long_bytes` says, and goes by a queue of its own; of how many workers one
listens to that, and never none."""
S3_WRITES, S3_READS, BROKER = 3_500, 5_500, 1_000
"""Requests a second to one partition of a bucket, as AWS states them; messages a second through one Redis, measured
with late acknowledgement on two cores."""
HOUR, CORES = 0.0816, 2
"""US dollars for an m7g.large in us-east-1 as of June 2026, and its cores."""
WRITE_PRICE, READ_PRICE = 0.005 / 1000, 0.0004 / 1000
"""US dollars a request, S3 Standard, same day."""


@dataclass(frozen=True)
class Costs:
    """What one step takes: CPU seconds and requests, once for each run and again for each row."""

    fixed: dict[str, tuple[float, float, float]]
    per_row: dict[str, tuple[float, float, float]]
    wall: dict[str, float]
    """The share of its CPU seconds that a step takes by the clock, where its readers and threads have a second core."""

    def of(self, step: str, rows: int) -> tuple[float, float, float]:
        """CPU seconds, reads and writes of a step over so many rows."""
        first, more = self.fixed[step], self.per_row[step]
        return (first[0] + more[0] * rows, first[1] + more[1] * rows, first[2] + more[2] * rows)

    def seconds(self, step: str, rows: int, tasks: int, has_room: bool = False) -> float:
        """How long one of a step's tasks holds its worker.

        Args:
            has_room: another core is idle meanwhile.
        """
        cpu, reads, writes = self.of(step, rows)
        return (cpu * (self.wall.get(step, 1.0) if has_room else 1.0) + (reads + writes) * LATENCY / AT_ONCE) / tasks


def costs(small: dict[str, Any], large: dict[str, Any], apart: dict[str, Any]) -> Costs:
    """A straight line through two measured firms.

    Args:
        apart: the large one again, its batches laid by tasks of their own: no small one ever is so, and those lines begin at nothing.
    """
    fixed, per_row = {}, {}
    for step in ORDER:
        low, high = (_asked(said, step) for said in (small, large))
        slope = [max(0.0, (b - a) / (large["rows"] - small["rows"])) for a, b in zip(low, high, strict=True)]
        per_row[step] = (slope[0], slope[1], slope[2])
        first = [max(0.0, a - one * small["rows"]) for a, one in zip(low, slope, strict=True)]
        fixed[step] = (first[0], first[1], first[2])
    for step, name in LAID.items():
        cpu, reads, writes = _asked(apart, step)
        fixed[name], per_row[name] = (0.0, 0.0, 0.0), (cpu / apart["rows"], reads / apart["rows"], writes / apart["rows"])
    walls = {step: large["walls"][step] / large["steps"][step] for step in ("intake", "split")} | {"gather": apart["walls"]["merge"] / apart["steps"]["merge"]}
    return Costs(fixed, per_row, {step: min(1.0, share) for step, share in walls.items()})


def _asked(said: dict[str, Any], step: str) -> tuple[float, float, float]:
    """CPU seconds, reads and writes of a step as measured."""
    requests = said["requests"].get(step, {})
    return said["steps"].get(step, 0.0), requests.get("reads", 0), requests.get("writes", 0)


@dataclass
class Run:
    began: float
    kind: str
    rows: int
    tasks: dict[str, int]
    """Of each step."""
    is_long: bool = False
    """It goes by the queue of long runs."""
    step: int = 0
    sent: int = 1
    done: int = 0


def tasks_of(rows: int, are_laid: bool = False) -> dict[str, int]:
    """How many tasks each step of a run is.

    Args:
        are_laid: its batches are laid by tasks of their own.
    """
    is_small, parts = rows <= PART_ROWS, -(-rows // PART_ROWS)
    lays = len(lays_of([f"{BATCHES}{parts}"])) if are_laid else 0
    merged = {"merge": 0, "link": 1, "lay": lays, "gather": 1} if lays else {"merge": 1, "link": 0, "lay": 0, "gather": 0}
    return dict.fromkeys(ORDER, 1) | merged | {"transform": -(-rows // LOAD_ROWS) if is_small else parts + 8, "count": 0 if is_small else len(counted_apart((), parts, is_mapped=False))}


@dataclass
class Day:
    """What a day came to."""

    took: dict[str, list[float]]
    busy: float
    length: float
    writes: float
    reads: float
    messages: int


def a_day(costs: Costs, workers: int, firms: int, sizes: dict[str, int], seed: int = 1, are_apart: bool = True) -> Day:
    """Let a day's firms arrive at random and carry all of them across.

    Args:
        are_apart: some of the workers carry long runs, and nothing else; the others never do. One alone does both.
    """
    are_apart = are_apart and workers > 1
    dice = random.Random(seed)  # noqa: S311  a day anyone can repeat
    arrivals: list[tuple[float, int, Run]] = []
    for number in range(firms):
        kind = dice.choices([name for _, name in MIX], [share for share, _ in MIX])[0]
        rows = sizes[kind]
        run = Run(dice.uniform(0, DAY), kind, rows, tasks_of(rows), are_apart and rows >= LONG_ROWS)
        heapq.heappush(arrivals, (run.began, number, run))
    waiting: dict[bool, deque[Run]] = {True: deque(), False: deque()}
    ends: list[tuple[float, int, Run]] = []
    long = max(1, workers // LONG_SHARE)
    idle, clock, count = {True: long, False: workers - long} if are_apart else {True: 0, False: workers}, 0.0, 0
    day = Day({name: [] for _, name in MIX}, 0.0, 0.0, 0.0, 0.0, 0)
    while arrivals or ends or any(waiting.values()):
        while (queue := next((one for one, runs in waiting.items() if runs and idle[one]), None)) is not None:
            run = waiting[queue].popleft()
            step = ORDER[run.step]
            tasks = run.tasks[step]
            seconds = costs.seconds(step, run.rows, tasks)
            _, reads, writes = costs.of(step, run.rows)
            day.busy, day.reads, day.writes, day.messages = day.busy + seconds, day.reads + reads / tasks, day.writes + writes / tasks, day.messages + 1
            count += 1
            idle[queue] -= 1
            heapq.heappush(ends, (clock + seconds, count, run))
        if ends and (not arrivals or ends[0][0] <= arrivals[0][0]):
            clock, _, run = heapq.heappop(ends)
            idle[run.is_long] += 1
            _go_on(run, waiting[run.is_long], day, clock)
        elif arrivals:
            clock, _, first = heapq.heappop(arrivals)
            waiting[first.is_long].append(first)
    day.length = clock
    return day


def _go_on(run: Run, waiting: deque[Run], day: Day, clock: float) -> None:
    """What starts when one of a run's tasks has ended: the part a window behind it, the next step, or nothing."""
    run.done += 1
    if run.sent < run.tasks[ORDER[run.step]]:
        run.sent += 1
        waiting.append(run)
    if run.done < run.tasks[ORDER[run.step]]:
        return
    run.step += 1
    while run.step < len(ORDER) and not run.tasks[ORDER[run.step]]:
        run.step += 1
    if run.step == len(ORDER):
        day.took[run.kind].append(clock - run.began)
        return
    step = ORDER[run.step]
    run.done, run.sent = 0, min(WINDOWS.get(step, 1), run.tasks[step])
    waiting.extend([run] * run.sent)


def by_itself(costs: Costs, rows: int, workers: int) -> float:
    """Seconds of one run when nothing else is to be done, and its windows are as wide as there are workers."""
    tasks, took = tasks_of(rows, workers > 1), 0.0
    for step in ORDER:
        if tasks[step]:
            each = costs.seconds(step, rows, tasks[step], workers > 1)
            took += max(each * -(-tasks[step] // workers), _LOGS * each * tasks[step] if step == "count" else 0)
    return took


def _alone(costs: Costs, rows: int) -> str:
    """What the steps of one task take of a long run."""
    took = {step: costs.seconds(step, rows, 1, has_room=True) for step, count in tasks_of(rows, are_laid=True).items() if count == 1}
    return ", ".join(f"{step} {seconds:.0f} s" for step, seconds in took.items() if seconds >= 1)


def quantile(some: list[float], share: float) -> float:
    ranked = sorted(some)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))] if ranked else 0.0


def render(results: dict[str, Any]) -> str:
    small, large = results["small"]["said"], results["journey"][0]["ours"]["said"]
    found = costs(small, large, results["apart"])
    sizes = {"firm of 500 clients": small["rows"], "ten times it": 10 * small["rows"], "the largest": large["rows"]}
    lines = [
        "# Beyond one machine", "",
        f"`python -m bench.scale`, from the figures `make bench` measured on {results['machine']} on {results['day']}. A simulation, not a measurement: each task takes the CPU it took here and {LATENCY * 1000:.0f} ms a request, {AT_ONCE} at a time; nothing fails. It says what breaks first, and roughly when.", "",
        "## What a step costs", "", "| step | CPU s, each run | CPU s, a million rows | reads + writes, each run | a million rows |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for step in ORDER:
        (cpu, reads, writes), (more, more_reads, more_writes) = found.fixed[step], found.per_row[step]
        lines.append(f"| {step} | {cpu:.2f} | {more * 1e6:.2f} | {reads + writes:.0f} | {(more_reads + more_writes) * 1e6:.0f} |")
    lines += ["", "## A thousand firms a day", "", f"{', '.join(f'{share:.0%} {name} ({sizes[name]:,} rows)' for share, name in MIX)}; they arrive over ten hours. One of {LONG_SHARE} workers, of two one, listens to `long`, where the largest go step by step; it takes nothing else.", "",
              "| workers | small firm, p50 | p95 | the largest, p50 | workers busy | writes a second | messages a second |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for workers in (2, 10, 100, 1_000):
        day = a_day(found, workers, 1_000, sizes)
        took = day.took
        lines.append(
            f"| {workers:,} | {quantile(took['firm of 500 clients'], 0.5):.1f} s | {quantile(took['firm of 500 clients'], 0.95):.1f} s | {quantile(took['the largest'], 0.5):.0f} s "
            f"| {day.busy / (workers * day.length):.1%} | {day.writes / day.length:.1f} | {day.messages / day.length:.2f} |"
        )
    here = quantile(results.get("stack", {}).get("sample", []), 0.5)
    if here:
        alone = a_day(found, 2, 20, sizes, are_apart=False).took["firm of 500 clients"]
        lines += ["", f"What can be held against a measurement: a firm of 500 clients takes two warm processes here {here:.1f} s, with the object store and the broker on the same two cores; the model says {quantile(alone, 0.5):.1f} s. It leaves out how long a message waits to be fetched."]
    lines += ["", "## What breaks first", "",
              "Every worker busy without a pause, with the mix above: what they ask of the store and the broker together.", "",
              f"| workers | rows a second | writes a second (one partition takes {S3_WRITES:,}) | reads a second ({S3_READS:,}) | messages a second (one Redis takes about {BROKER:,}) | firms a day |", "|---|---|---|---|---|---|"]  # fmt: skip
    lone = [sizes["the largest"], 10 * sizes["the largest"]]
    day = a_day(found, 100, 1_000, sizes)
    rows = sum(len(took) * sizes[name] for name, took in day.took.items())
    each = {"writes": day.writes / day.busy, "reads": day.reads / day.busy, "messages": day.messages / day.busy}
    for workers in (10, 100, 1_000):
        full = {name: value * workers for name, value in each.items()}
        lines.append(
            f"| {workers:,} | {rows / day.busy * workers:,.0f} | {full['writes']:,.0f}{'  **over**' if full['writes'] > S3_WRITES else ''} "
            f"| {full['reads']:,.0f}{'  **over**' if full['reads'] > S3_READS else ''} | {full['messages']:,.0f}{'  **over**' if full['messages'] > BROKER else ''} | {1_000 / day.busy * workers * 86_400:,.0f} |"
        )
    first = min((S3_WRITES / each["writes"], "writes to one partition of the bucket"), (S3_READS / each["reads"], "reads from it"), (BROKER / each["messages"], "messages through one Redis"))
    usual = [step for step in ORDER if step not in LAID.values()]
    cpu_million = sum(found.per_row[step][0] for step in usual) * 1e6
    asked = [sum(found.per_row[step][n] for step in usual) * 1e6 for n in (1, 2)]
    small_cpu, small_reads, small_writes = (sum(found.of(step, sizes["firm of 500 clients"])[n] for step in usual) for n in range(3))
    second = HOUR / 3600 / CORES
    lines += [
        "", f"First to give way: **{first[1]}, at about {first[0]:,.0f} busy workers**. A bucket divides itself by prefix as it warms; before a large migration day, spread firms over several buckets or ask for the partitions. Past {BROKER / each['messages']:,.0f} workers use a Redis for each group of queues, or SQS.", "",
        "## One run alone", "",
        "Seconds of one run on an idle deployment, with as many parts and batches under way (`work.window`, `work.lay_window`, `work.count_window`) as there are workers. One worker lays all batches itself; with more, whoever takes in and cuts has a second core for readers, as measured here.", "",
        "| workers | " + " | ".join(f"{rows:,} rows" for rows in lone) + " |", "|---|" + "---|" * len(lone),
        *(f"| {workers} | " + " | ".join(f"{by_itself(found, rows, workers):.0f} s" for rows in lone) + " |" for workers in (1, 2, 4, 8, 16, 32)), "",
        f"Parts, batches and counting again are shared by as many workers as there are. What is left of {lone[1]:,} rows are the steps of one task each: {_alone(found, lone[1])}; and of counting again the logs. Most of it is the cutting: a list is unpacked in one stream, and gone through by one process, for what its rows mean hangs on those above.", "",
        "## Advice", "",
        f"- **Part size** (`work.part_rows`): 96,000 rows. A part costs {found.fixed['transform'][0] / 9 * 1000:.0f} ms and {sum(found.fixed['transform'][1:]) / 9:.0f} requests by itself, beside {found.per_row['transform'][0] * 1e7:.0f} ms for 10,000 rows; one of a million rows takes a worker's memory.",
        f"- **Window** (`work.window`): {WINDOWS['transform']}. More lets one large firm stand before more small ones; less leaves workers idle when few firms are under way.",
        "- **Batches laid side by side** (`work.lay_window`): 1, which is: not at all. On two cores it costs more than it gives, for there the store's own copying takes of the same cores (23 s became 27 for the largest). With four workers and more, and a store elsewhere, as many as should hurry one firm.",
        "- **Batches counted again** (`work.count_window`): 2, which is all that two processes can do. Where workers are to be had, as many as should hurry one firm; each takes a second or so, and small firms' tasks go between them, for they wait in other queues.",
        f"- **Load** (`work.load_rows`): {LOAD_ROWS:,} rows. A run of no more rows than one part may have sends its parts as so few messages; less brings one small firm to more workers, at ten requests a message.",
        "- **Batch** (`work.batch_rows`): 96,000 rows, as a part, because a batch holds whole parts (with 128,000 the largest process takes 50 MB more, and nobody is much faster): what merge and verify hold at a time; of long rows fewer, as many as `work.portion_bytes` of text.",
        "- **Scratch** (`TMPDIR`): what a step can't hold waits there in files without a name, about three times what the largest file of a drop unpacks to, and once what it is packed to: some 30 GB for a list of 10. The 4 GB in `deploy/compose.yaml` are for lists up to one; where there is too little, the step waits, and says so.",
        "- **Queues**: one group of workers on `parts` and one on `long`, where runs of more than `work.long_bytes` go step by step, each scaled by the length of its queue; a few on `events,merge,webhooks,control`, of which at least two at any time; one on `suspect` with `--concurrency 1`. Where both groups share a machine, the one on `long` lets the other go first (`nice`, `cpu_shares`): a firm of 500 clients then hardly waits for one of millions of rows.",
        "- **Requests**: a small firm's requests cost more than its computing. Fewer objects for each run would make it cheaper, faster code would not.",
        "- **Instances**: two cores and 8 GiB, two processes each; memory, not cores, is what a larger one buys. Spot instances lose nothing: a part goes on elsewhere within a minute.", "",
        "## What it costs", "",
        f"List prices of us-east-1 as of June 2026: m7g.large ${HOUR} an hour, S3 ${WRITE_PRICE * 1000} a thousand writes and ${READ_PRICE * 1000} a thousand reads. A core there is taken to be a core here.", "",
        "| what | compute | requests | together |", "|---|---|---|---|",
        f"| a million rows of a large firm | ${cpu_million * second:.5f} | ${asked[0] * READ_PRICE + asked[1] * WRITE_PRICE:.5f} | ${cpu_million * second + asked[0] * READ_PRICE + asked[1] * WRITE_PRICE:.5f} |",
        f"| a firm of 500 clients | ${small_cpu * second:.5f} | ${small_reads * READ_PRICE + small_writes * WRITE_PRICE:.5f} | ${small_cpu * second + small_reads * READ_PRICE + small_writes * WRITE_PRICE:.5f} |", "",
        "Storage, idle workers, the broker and data that leaves the region come on top.", "",
    ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(render(json.loads(RESULTS.read_text())))
    print(PAGE.read_text())
