"""`demo`, `up`, `status`, `report`, `release`: the same journey over real servers, and looking at it."""

import json
import os
import shutil
import signal
import tempfile
import threading
import time
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.commands.crossing import Stop
from workers.commands.show import give, message, say, totals, waiting

SAMPLE = Path(__file__).parents[2] / "samples" / "doe-and-roe"


def demo(out: Path, sample: Path, as_json: bool) -> int:
    """The main job for real: servers, listener, workers; an upload; its event; the totals; everything stopped."""
    from caseferry import __version__

    say(f'Caseferry {__version__} · demo firm "Doe & Roe LLP" (made-up data, nothing leaves this computer)\n')
    began = time.monotonic()
    state = Path(tempfile.mkdtemp(prefix="caseferry-demo-"))
    from workers.commands.receiver import Receiver

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped from outside, everything still ends
    receiver = Receiver()
    receiver.start()
    endpoint = {"id": "demo", "url": receiver.url, "secret": receiver.secret}
    os.environ["CASEFERRY_WEBHOOK__ENDPOINTS"] = json.dumps([endpoint])
    os.environ["CASEFERRY_WEBHOOK__ALLOW_NETWORKS"] = json.dumps(["127.0.0.0/8"])
    try:
        from workers.embedded import BUCKET, client_of, running

        with running(state, has_patient=False) as stack:
            say(f"  servers    Valkey and S3 on 127.0.0.1, listener and worker up   {time.monotonic() - began:.1f} s")
            client = client_of(stack)
            where = "drops/doe-roe/trial"
            data = (sample / "LEAP-export.zip").read_bytes()
            client.put_object(Bucket=BUCKET, Key=f"{where}/migration.json", Body=(sample / "migration.json").read_bytes())
            uploaded = time.monotonic()
            client.put_object(Bucket=BUCKET, Key=f"{where}/LEAP-export.zip", Body=data)
            say(f"  uploaded   LEAP-export.zip   {len(data) / 1e6:.1f} MB with boto3; its event starts the journey")
            from workers.app import services

            run = _wait_for_run(services(), "doe-roe", "trial")
            state_word = _follow(services(), run)
            seconds = time.monotonic() - uploaded
            ledger: Any = json.loads(services().store.get(run.at("4-verify", "ledger.json")))
            events = _wait_for_events(services(), run, receiver)
            from workers.commands.crossing import publish

            shutil.rmtree(out, ignore_errors=True)
            publish(services(), run, out)
    finally:
        receiver.stop()
        shutil.rmtree(state, ignore_errors=True)
    if as_json:
        give({"state": state_word, "seconds": round(seconds, 2), "events": events, "out": str(out), "ledger": ledger})
        return 0
    for line in totals(ledger):
        print(line)
    print(f"  webhook    {events} events signed, delivered to the demo receiver and verified there  ✓")
    print(f"  took       {seconds:.1f} s from upload to verified")
    for line in waiting(ledger):
        print(line)
    print(f"\n  Report   {out / 'report.html'}\n  Files    {out / 'import-files'}\n  Waiting  {out / 'report.xlsx'}")
    print("  Next     caseferry check YOUR-EXPORT.zip          a read-only look at real data")
    print(f"\n  everything is stopped again   {time.monotonic() - began:.1f} s in all")
    return 0


def _wait_for_run(services: Any, firm: str, migration: str, seconds: float = 60) -> Any:
    from caseferry.keys import Migration

    where = Migration(firm, migration)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for name in services.store.folders(where.home + "runs/"):
            return where.run(name)
        time.sleep(0.05)
    raise Stop(4, "✗ The upload's event never came. The listener may be blocked on this computer.")


def _follow(services: Any, run: Any, seconds: float = 300) -> str:
    """Say each stage as it is reached, and each type of data as its parts are done."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn

    from tasks.journey import parts_of
    from tasks.stage import present
    from workers.inprocess import rest

    deadline = time.monotonic() + seconds
    told: set[str] = set()
    records: dict[str, list[str]] = {}
    import sys

    bars = Progress(TextColumn("    {task.description:<18}"), BarColumn(30), TextColumn("{task.completed}/{task.total} rows"), disable=not sys.stderr.isatty(), transient=True)
    tasks: dict[str, TaskID] = {}
    rows: dict[str, int] = {}
    with bars:
        while time.monotonic() < deadline:
            seen = present(services.store, run)
            if "0-original/manifest.json" in seen and "received" not in told:
                told.add("received")
                say(f"  received   claimed as {run.run}")
            if "1-split/tables.json" in seen and not records:
                split: Any = json.loads(services.store.get(run.at("1-split", "tables.json")))
                for table in split["tables"]:
                    records.setdefault(table["record"], []).extend(table["parts"])
                    rows |= dict(zip(table["parts"], table["part_rows"], strict=True))
                say(f"  told       {split['product']} export, {split['confidence']:.0%} of the columns known, {len(split['tables'])} lists")
                for record, parts in records.items():
                    tasks[record] = bars.add_task(record.replace("_", " "), total=sum(rows[p] for p in parts))
            for record, parts in records.items():
                done = [p for p in parts if f"2-transform/{p}.json" in seen]
                bars.update(tasks[record], completed=sum(rows[p] for p in done))
                if len(done) == len(parts) and f"t:{record}" not in told:
                    told.add(f"t:{record}")
                    if bars.disable:
                        say(f"  transform  {record.replace('_', ' '):<18} {sum(rows[p] for p in parts):>7,} rows")
            if "3-merge/manifest.json" in seen and "merged" not in told:
                told.add("merged")
                total = sum(rows.values())
                say(f"  transform  {total:,}/{total:,} rows in {len(parts_of(seen))} parts")
                say("  merged     the parts are together; counting everything again")
            if {"4-verify/ledger.json", "refused.json", "failed.json"} & seen or any(k.startswith("holds/") for k in seen):
                return rest(services, run)
            time.sleep(0.05)
    raise Stop(4, "✗ The run did not end in time. Its state is kept; `caseferry up` goes on with it.")


def _wait_for_events(services: Any, run: Any, receiver: Any, seconds: float = 10) -> int:
    from tasks.stage import present

    services.tell(services, run)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        expected = sum(1 for key in present(services.store, run) if key.startswith("events/") and key.count("/") == 1)
        if len(receiver.ids) >= expected:
            break
        time.sleep(0.05)
    return len(receiver.ids)


def up(state: Path, watch: Path | None, concurrency: int) -> int:
    """Keep the embedded stack running until it is interrupted."""
    if (state / "stack.json").is_file() and running_here(state):
        raise Stop(1, message("CF-138", str(state)))
    say("Caseferry · starting the embedded stack on 127.0.0.1 …")
    from workers.embedded import BUCKET, client_of, revive, running
    from workers.listener import watch_folder

    stopping = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    with running(state, concurrency) as stack:
        give({
            "endpoint": stack.endpoint, "bucket": BUCKET, "access_key": stack.access_key, "secret_key": stack.secret_key,
            "region": "us-east-1", "upload_to": f"s3://{BUCKET}/drops/<firm>/<migration>/", "state": str(state),
        })  # fmt: skip
        import sys

        sys.stdout.flush()
        if watch:
            client = client_of(stack)
            watch.mkdir(parents=True, exist_ok=True)
            say(f"  watching   {watch}/<firm>/<migration>/")
            threading.Thread(target=watch_folder, daemon=True, args=(watch, lambda key, data: client.put_object(Bucket=BUCKET, Key=key, Body=data), stopping, lambda: say(message("CF-136", str(watch))))).start()
        say("  ready      stop with Ctrl-C; look with: caseferry status")
        while not stopping.wait(0.5):
            for ended in revive(stack):
                say(f"! {ended} ended and was started again; nothing is lost. Its log: {state / ended}.log")
            if stack.is_hopeless:
                say(f"✗ A server or the worker keeps ending. Its log lies in {state}.")
                return 4
        say("  stopping   …")
    say("  stopped")
    return 0


def services_of(state: Path) -> Any:
    """Services over the bucket the settings name, or over the embedded stack of a state folder."""
    known = state / "stack.json"
    if known.is_file() and "CASEFERRY_S3__ENDPOINT" not in os.environ and "CASEFERRY_S3__BUCKET" not in os.environ:
        from workers.embedded import prepare

        os.environ.update({k: v for k, v in prepare(state).environment().items() if k.startswith("CASEFERRY_")})
    elif not known.is_file() and "CASEFERRY_S3__ENDPOINT" not in os.environ and "CASEFERRY_S3__BUCKET" not in os.environ:
        raise Stop(4, message("CF-137", str(state)))
    import logging

    logging.disable(logging.CRITICAL)
    from workers.app import services

    if known.is_file() and not running_here(state):
        raise Stop(4, message("CF-137", str(state)))
    return services()


def running_here(state: Path) -> bool:
    """True if the servers of a state folder answer, or the settings name others."""
    from workers.embedded import answers, prepare

    stack = prepare(state)
    return os.environ.get("CASEFERRY_S3__ENDPOINT", stack.endpoint) != stack.endpoint or answers(stack.ports["s3"])


def find_run(services: Any, name: str) -> Any:
    """The run of that name, or of that beginning, whichever firm it is of."""
    from workers.reconciler import migrations

    found = [m.run(r) for m in migrations(services, "migrations/") for r in services.store.folders(m.home + "runs/") if r.startswith(name)]
    if len(found) != 1:
        raise Stop(1, message("CF-131", name, "" if not found else f"{len(found)} runs begin so"))
    return found[0]


def runs(services: Any) -> list[dict[str, str]]:
    from workers.reconciler import migrations

    result = []
    for migration in migrations(services, "migrations/"):
        for name in services.store.folders(migration.home + "runs/"):
            with suppress(KeyError):
                status = json.loads(services.store.get(migration.run(name).at("run.json")))
                history = status["history"]
                result.append({
                    "firm": migration.firm, "migration": migration.migration, "run": name, "state": status["state"],
                    "since": history[-1][1] if history else "", "waits_for": ", ".join(r.get("code", "") for r in status["reasons"]),
                })  # fmt: skip
    return sorted(result, key=lambda r: r["since"], reverse=True)


def status(state: Path, follow: bool, as_json: bool) -> int:
    """All runs, newest first; again and again if asked."""
    services = services_of(state)
    while True:
        found = runs(services)
        if as_json:
            give(found)
        else:
            if follow:
                print("\033[H\033[2J" if os.isatty(1) else "", end="")
            print(f"{'firm':<20} {'migration':<20} {'run':<22} {'state':<28} {'since':<22} waits for")
            for r in found:
                print(f"{r['firm']:<20} {r['migration']:<20} {r['run']:<22} {r['state'].replace('_', ' '):<28} {r['since']:<22} {r['waits_for']}")
            if not found:
                print("no runs yet")
        if not follow:
            return 0
        time.sleep(1)


def report(state: Path, name: str, out: Path, no_open: bool, as_json: bool) -> int:
    """Fetch a run's report and files, and open the report."""
    from workers.commands.crossing import publish

    services = services_of(state)
    run = find_run(services, name)
    try:
        ledger: Any = json.loads(services.store.get(run.at("4-verify", "ledger.json")))
    except KeyError:
        raise Stop(3, "✗ The run has no report yet. See: caseferry status") from None
    target = out / run.run
    publish(services, run, target)
    if as_json:
        give({"report": str(target / "report.html"), "state": ledger["state"]})
    else:
        for line in [*totals(ledger), *waiting(ledger)]:
            print(line)
        print(f"\n  Report   {target / 'report.html'}")
    if not no_open and not as_json and os.isatty(1):
        webbrowser.open((target / "report.html").resolve().as_uri())
    return 0


def doctor(state: Path, as_json: bool) -> int:
    """Every condition, one line each: pass or fail, what was found, what to do."""
    if (state / "stack.json").is_file() and "CASEFERRY_S3__ENDPOINT" not in os.environ and "CASEFERRY_S3__BUCKET" not in os.environ:
        from workers.embedded import prepare

        os.environ.update({k: v for k, v in prepare(state).environment().items() if k.startswith("CASEFERRY_")})
    from dataclasses import asdict

    from config.settings import Settings
    from workers.doctor import examine

    settings = Settings()
    found = examine(settings)
    failing = [one for one in found if one.must and not one.passed and one.name not in settings.allow]
    if as_json:
        give({"ready": not failing, "conditions": [asdict(one) for one in found]})
        return 1 if failing else 0
    for one in found:
        mark = "✓" if one.passed else "✗" if one.must else "!"
        allowed = "   (allowed by CASEFERRY_ALLOW)" if not one.passed and one.must and one.name in settings.allow else ""
        print(f"{mark} {one.name:<20} {one.found}{allowed}")
        if one.remedy:
            print(f"  {'':<20} Do: {one.remedy}")
    print(f"\n{'✗ a worker refuses to start here' if failing else '✓ a worker starts here'}: {len(found)} conditions, {len(failing)} in the way")
    return 1 if failing else 0


def _valid_answer(services: Any, run: Any, changes: dict[str, Any]) -> None:
    """Stop before an answer is kept that the run could not go on with."""
    from caseferry.errors import NeedsAnswer
    from tasks.stage import choices_of, merged, migration_of

    try:
        choices_of(merged(migration_of(services.store, run).model_dump(mode="json"), changes))
    except KeyError:
        return  # not admitted yet: its choices are checked then
    except NeedsAnswer as ask:
        lines = [message(q.code, q.where, q.detail, do="upload a migration.json that names it beside the drop") for q in ask.questions]
        raise Stop(2, "\n".join(lines)) from None


def release(state: Path, name: str, by: str, changes: dict[str, Any], as_json: bool) -> int:
    """Let a held run go on; who said so is kept."""
    from tasks.journey import next_steps
    from tasks.stage import present
    from tasks.stage import release as answer
    from workers.app import send
    services = services_of(state)
    run = find_run(services, name)
    _valid_answer(services, run, changes)
    if not answer(services, run, by, changes, cleared=True):
        raise Stop(1, "✗ The run asks nothing. See: caseferry status")
    send(next_steps((run.firm, run.migration, run.run), present(services.store, run)))
    if as_json:
        give({"run": run.run, "released_by": by})
    say(f"  released   {run.run}, by {by}")
    return 0
