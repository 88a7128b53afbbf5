"""Workers that are killed, starved, told to stop, or given parts that end them."""

import io
import json
import os
import shutil
import signal
import subprocess
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from caseferry.services.folder import FolderStore
from config.settings import Settings
from tasks.intake.arrive import arrive
from tasks.journey import STEPS
from tasks.news import tell
from tasks.stage import Services, run_of
from tests.crossing import CHOICES
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.deployment import Deployment, deployed
from tests.faults.firms import export
from workers.inprocess import cross

_PATIENT = ("sh", "-c", '{ echo 10 > /proc/self/autogroup; } 2> /dev/null; exec nice -n 10 "$@"', "sh")
PART_ROWS: dict[str, Any] = {"CASEFERRY_WORK__PART_ROWS": "2", "CASEFERRY_WORK__BATCH_ROWS": "6"}


def clean(folder: Path, data: bytes, part_rows: int = 2, **clock: Any) -> dict[str, bytes]:
    """What one undisturbed process makes of an export."""
    services = Services(FolderStore(folder), Settings(_env_file=None, work={"part_rows": part_rows}), tell=tell, **clock)
    services.store.put("drops/firm/trial/migration.json", json.dumps(CHOICES).encode())
    services.store.put("drops/firm/trial/x.zip", data)
    run = run_of(arrive(services, "drops/firm/trial/x.zip")[0])
    assert cross(services, run).startswith("completed")
    keys = [stat.key for stat in services.store.listing(run.home)]
    wanted = [key for key in keys if "/3-merge/files/" in key or key.endswith(("ledger.json", "report.html", "report.xlsx", "changes.csv.gz"))]
    return {key.rsplit("/", 1)[1]: services.store.get(key) for key in wanted}


def at_work(deployment: Deployment, runs: list[str]) -> "subprocess.Popen[bytes] | None":
    """A worker that holds a step at this moment, as its attempts in the bucket say; none whose step has died twice:
    what a third death means is another campaign's.
    """
    for where in runs:
        keys = set(deployment.keys(where))
        for key in sorted(keys):
            mark = key.removesuffix(".json")
            if "/attempts/" in key and mark.rsplit(".", 1)[-1].isdigit() and f"{mark}.lost.json" not in keys and f"{mark}.ended.json" not in keys:
                if sum(1 for one in keys if one.startswith(mark.rsplit(".", 1)[0] + ".") and one.endswith(".lost.json")) >= 2:
                    continue
                with suppress(Exception):
                    pid = json.loads(deployment.get(key))["who"]["pid"]
                    step, _, part = mark.split("/attempts/")[1].rsplit(".", 1)[0].partition("-")
                    if STEPS[step].makes.format(part=part) in {one.split("/", 5)[-1] for one in keys}:
                        continue
                    for worker in deployment.workers:
                        if worker.poll() is None and pid in deployment.children(worker):
                            return worker
    return None


@fault(17)
def busy_workers_killed_at_random(ground: Ground) -> Counts:
    """Three workers, one of them killed with all its processes every second or so, while firms keep coming."""
    kills, together = ground.n(200, 2), ground.n(3, 2)
    exports = {seed: export(seed, 3) for seed in range(1, ground.n(7, 3))}
    expected = {seed: clean(ground.folder / f"clean-{seed}", data) for seed, data in exports.items()}
    counts: Counts = {"kills": 0, "runs": 0, "runs with a part put aside": 0, "lost": 0, "outputs that differ": 0}
    with deployed(ground.folder, **PART_ROWS, FAULT_SLOW="transform:0.3") as there:  # so that a worker is mostly at work
        there.start(workers=3)
        open_runs: dict[str, int] = {}
        number = 0

        def feed() -> None:
            nonlocal number
            while len(open_runs) < together:
                number += 1
                seed = number % len(exports) + 1
                there.upload(f"firm-{number}/trial", exports[seed])
                open_runs[f"firm-{number}/trial"] = seed

        def harvest(seconds: float = 0) -> None:
            for where, seed in list(open_runs.items()):
                if seconds or any(key.endswith(("ledger.json", "failed.json")) for key in there.keys(where)):
                    found = there.results(where, seconds=seconds or 5)
                    counts["runs"] = int(counts["runs"]) + 1
                    if found != expected[seed]:
                        aside = any("/aside/" in key for key in there.keys(where))
                        assert aside, f"{where}: outputs differ from the clean run"
                        counts["runs with a part put aside"] = int(counts["runs with a part put aside"]) + 1
                    del open_runs[where]

        feed()
        there.wait("firm-1/trial", "1-split/tables.json")
        deadline = time.monotonic() + 1300
        while int(counts["kills"]) < kills:
            victim = at_work(there, list(open_runs))
            if victim is not None:
                time.sleep(ground.dice.uniform(0, 0.05))
                there.kill(victim)
                counts["kills"] = int(counts["kills"]) + 1
                there.revive()
                time.sleep(ground.dice.uniform(0.5, 2))  # a part that meets every kill would be put aside, as it should
            else:
                time.sleep(0.1)
            assert time.monotonic() < deadline, counts
            there.revive()
            harvest()
            feed()
        harvest(seconds=600)
    return counts


@fault(18)
def processes_of_the_pool_killed(ground: Ground) -> Counts:
    data = export(2, 4)
    expected = clean(ground.folder / "clean", data)
    counts: Counts = {"kills": 0, "runs": 0, "outputs that differ": 0}
    with deployed(ground.folder, **PART_ROWS) as there:
        there.start(workers=1, concurrency=2)
        for number in range(ground.n(3, 1)):
            where = f"firm-{number}/trial"
            there.upload(where, data)
            there.wait(where, "1-split/tables.json")
            for _ in range(2):
                children = there.children(there.workers[0])
                if children:
                    with suppress(ProcessLookupError):
                        os.kill(ground.dice.choice(children), signal.SIGKILL)
                        counts["kills"] = int(counts["kills"]) + 1
                time.sleep(ground.dice.uniform(0.3, 1.0))
            assert there.results(where) == expected, where
            counts["runs"] = int(counts["runs"]) + 1
    return counts


@fault(19)
def a_part_that_kills_its_process(ground: Ground) -> Counts:
    with deployed(ground.folder, CASEFERRY_WORK__PART_ROWS="2", FAULT_POISON="t001-cards-0002") as there:
        there.start(workers=1, concurrency=2)
        worker = there.workers[0].pid
        began = time.monotonic()
        there.upload("firm/trial", export(1, 4))
        ledger = json.loads(there.get(there.wait("firm/trial", "4-verify/ledger.json")))
        seconds = time.monotonic() - began
        keys = there.keys("firm/trial")
        deaths = [key for key in keys if ".lost.json" in key]
        events = [json.loads(there.get(key))["type"] for key in keys if "/events/0" in key]
        contact = next(t for t in ledger["types"] if t["record"] == "contact")
        assert ledger["state"] == "completed_with_differences" and contact["quarantined"] == 2, ledger["state"]
        assert len(deaths) == 3 and all("cards-0002" in key for key in deaths), deaths
        assert "job.part_quarantined" in events and there.workers[0].pid == worker and there.workers[0].poll() is None
        others = sum(t["carried"] for t in ledger["types"])
        assert seconds <= ground.within(120)
    return {"deaths": len(deaths), "rows put aside": contact["quarantined"], "rows carried": others, "seconds to the end": round(seconds, 1)}


@fault(20, 107)
def from_death_to_running_elsewhere(ground: Ground) -> Counts:
    """The settings as they are shipped; in a slice the clocks run faster. Half of the workers live in a namespace of
    their own, so that nobody can see from outside that their processes are gone: their silence has to do.
    """
    apart = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child") if os.geteuid() == 0 and shutil.which("unshare") else ()
    if apart and subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        apart = ()
    waits: dict[str, list[float]] = {"same computer": [], "another computer": []}
    hands = ground.n(4, 2)
    with deployed(ground.folder, quick=not ground.full, CASEFERRY_WORK__PART_ROWS="1", CASEFERRY_WORK__WINDOW=str(hands), FAULT_SLOW="transform:45") as there:
        there.start(workers=0)
        for kind, wrap in (("same computer", ()), ("another computer", apart)) if apart else (("same computer", ()),):
            for round_ in range(ground.n(2, 1)):
                where = f"{kind.split()[0]}-{round_}/trial"
                victim = there.add_worker(concurrency=hands, wrap=wrap)
                there.upload(where, export(1, 5))
                deadline = time.monotonic() + 600
                while sum(1 for key in there.keys(where) if "/attempts/transform" in key) < hands and time.monotonic() < deadline:
                    time.sleep(0.2)
                other = there.add_worker(concurrency=hands)
                time.sleep(6 + ground.dice.uniform(0, ground.n(5, 1)))  # the other is up, the first beats have been heard
                held = {key.rsplit(".", 2)[0] for key in there.keys(where) if "/attempts/transform" in key and key.endswith(".0.json")}
                assert len(held) == hands, held
                died = time.monotonic()
                there.kill(victim)
                while held and time.monotonic() - died < ground.within(90):
                    keys = set(there.keys(where))
                    for mark in [mark for mark in held if f"{mark}.1.json" in keys]:
                        held.discard(mark)
                        waits[kind].append(time.monotonic() - died)
                    time.sleep(0.1)
                assert not held, f"{len(held)} parts of {kind} not taken up in time"
                there.kill(other)
                there.workers.clear()
                there.forget(where)  # its parts would fill the next one's workers
    every = [wait for some in waits.values() for wait in some]
    assert max(every) <= ground.within(60), max(every)
    counts: Counts = {"parts": len(every), "slowest, seconds": round(max(every), 1), "median, seconds": round(sorted(every)[len(every) // 2], 1)}
    for kind, some in waits.items():
        if some:
            counts[f"{kind}, slowest"] = round(max(some), 1)
    return counts


@fault(21, 106)
def a_part_slower_than_its_message(ground: Ground) -> Counts:
    data = export(1, 2)
    expected = clean(ground.folder / "clean", data, part_rows=100)
    slow, visible = ("14", "PT5S") if ground.full else ("7", "PT2S")
    environment: dict[str, Any] = {"CASEFERRY_BROKER__VISIBILITY_TIMEOUT": visible, "FAULT_SLOW": f"transform:{slow}", "CASEFERRY_WORK__PART_ROWS": "100"}
    with deployed(ground.folder, **environment) as there:
        there.start(workers=2, concurrency=2)
        there.upload("firm/trial", data)
        found = there.results("firm/trial")
        keys = there.keys("firm/trial")
        begun = [key for key in keys if "/attempts/transform" in key and key.rsplit(".", 2)[1].isdigit()]
        lost = [key for key in keys if key.endswith(".lost.json")]
    assert found == expected
    assert not lost, "a part that lives was pronounced lost"
    return {"parts": 5, "executions": len(begun), "pronounced lost": len(lost), "effects that differ": 0}


@fault(32)
def told_to_stop_in_a_long_part(ground: Ground) -> Counts:
    stop = 30 if ground.full else 3
    environment: dict[str, Any] = {"FAULT_SLOW": f"transform:{2 * stop}", "CASEFERRY_WORK__STOP_WITHIN": f"PT{stop}S", "CASEFERRY_WORK__PART_ROWS": "100"}
    with deployed(ground.folder, **environment) as there:
        there.start(workers=1, concurrency=2)
        there.upload("firm/trial", export(1, 2))
        deadline = time.monotonic() + 600
        while not any("/attempts/transform" in key for key in there.keys("firm/trial")) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(1)
        began = time.monotonic()
        os.kill(there.workers[0].pid, signal.SIGTERM)
        there.workers[0].wait(stop + 300)
        took = time.monotonic() - began
        keys = there.keys("firm/trial")
        lost = sum(1 for key in keys if key.endswith(".lost.json"))
        there.workers.clear()
        there.environment["FAULT_SLOW"] = ""
        there.add_worker(concurrency=2)
        there.results("firm/trial")
    assert lost == 0, "a stop counted as a death"
    assert took <= stop + ground.within(35), took
    return {"seconds to stop": round(took, 1), "allowed to finish in, seconds": stop, "deaths counted": lost}


@fault(34)
def hundreds_of_parts_at_once(ground: Ground) -> Counts:
    parts = ground.n(200, 16)
    rows = parts // 4
    data = export(3, rows)
    most_waiting, most_memory = 0, 0
    with deployed(ground.folder, CASEFERRY_WORK__PART_ROWS="1") as there:
        there.start(workers=2, concurrency=1)
        there.upload("firm/trial", data)
        broker = there.redis()
        deadline = time.monotonic() + 420
        while time.monotonic() < deadline:
            waiting: Any = broker.llen("caseferry:parts")
            most_waiting = max(most_waiting, int(waiting))
            for worker in there.workers:
                for pid in there.children(worker):
                    with suppress(OSError, IndexError):
                        peak = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")][0]
                        most_memory = max(most_memory, int(peak.split()[1]) >> 10)
            if any(key.endswith("4-verify/ledger.json") for key in there.keys("firm/trial")):
                break
            time.sleep(0.5)
        ledger = json.loads(there.get(there.wait("firm/trial", "4-verify/ledger.json", seconds=5)))
        made = sum(1 for key in there.keys("firm/trial") if "/1-split/parts/" in key)
    assert most_waiting <= 3 * 8 and most_memory < 1500, (most_waiting, most_memory)
    assert ledger["state"].startswith("completed")
    return {"parts": made, "most messages waiting": most_waiting, "largest process, MiB": most_memory}


@fault(35)
def small_firms_beside_a_large_one(ground: Ground) -> Counts:
    """The small ones come while the large one's parts are being worked on, by a worker that lets all others go first; how
    long each takes, and alone.
    """
    small, many = export(1, 3), ground.n(8, 1)
    large = export(3, ground.n(140, 8))
    unpacked = [sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(data)).infolist()) for data in (small, large)]
    with deployed(ground.folder, CASEFERRY_WORK__PART_ROWS="2", CASEFERRY_WORK__LONG_BYTES=str(sum(unpacked) // 2)) as there:
        there.start(workers=1, queues="events,parts,merge,webhooks,suspect")
        there.add_worker(queues="long", wrap=_PATIENT)
        there.upload("warm/trial", small)
        there.results("warm/trial")

        def took(where: str) -> float:
            began = time.monotonic()
            there.upload(where, small)
            deadline = began + 600
            while not any(key.endswith("4-verify/ledger.json") for key in there.keys(where)) and time.monotonic() < deadline:
                time.sleep(0.05)
            return time.monotonic() - began

        alone = sorted(took(f"alone-{n}/trial") for n in range(ground.n(3, 1)))
        there.upload("large/trial", large)
        there.wait("large/trial", "1-split/tables.json")
        beside = sorted(took(f"beside-{n}/trial") for n in range(many))
        left = sum(1 for key in there.keys("large/trial") if "/1-split/parts/" in key) - sum(1 for key in there.keys("large/trial") if "/2-transform/" in key and key.endswith(".json"))
    p95 = beside[min(len(beside) - 1, int(0.95 * len(beside)))]
    middle = alone[len(alone) // 2]
    assert left > 0 or not ground.full, "the large firm ended before the small ones did"
    assert p95 <= ground.within(3) * middle, "a small one was held up"
    return {"small firms": many, "alone, seconds": round(middle, 1), "beside the large one, p95": round(p95, 1), "times": round(p95 / middle, 1), "parts of the large one still waiting at the end": left}


@fault(119)
def a_worker_gone_deaf(ground: Ground) -> Counts:
    """Each life of the only worker takes some messages and no more, as if what stands between it and its broker had stopped."""
    data = export(2, 4)
    expected = clean(ground.folder / "clean", data)
    ends = 0
    with deployed(ground.folder, **PART_ROWS, CASEFERRY_WORK__DEAF_AFTER="PT2S") as there:
        there.start(workers=1, FAULT_DEAF="20")
        began = time.monotonic()
        there.upload("deaf/trial", data)
        while not any(key.endswith("4-verify/ledger.json") for key in there.keys("deaf/trial")) and time.monotonic() - began < 600:
            ends += there.revive()
            time.sleep(0.2)
        seconds = time.monotonic() - began
        assert there.results("deaf/trial") == expected
        assert ends and "worker_deaf" in there.log.read_text()
    return {"messages a life": 20, "workers that ended themselves": ends, "outputs that differ": 0, "seconds to the end": round(seconds, 1)}
