"""The outbox: what there is to say of a run, written once beside the state it tells of, in one sequence.

`tell` may be called by anyone at any time: it looks at what lies in the bucket and adds what was not said yet.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from caseferry.canonical import to_json
from caseferry.codes import CODES
from caseferry.keys import Run
from tasks.attempts import lost
from tasks.journey import JOURNEY, Ticket, parts_of, state_of
from tasks.notify.events import checked
from tasks.once import read_json, read_kept, read_once, write_once
from tasks.stage import Services, present, stamp

_PROGRESS = timedelta(seconds=10)
_FINAL = {"ready", "failed", "refused"}
_ON_ITS_WAY = tuple(state for state in dict.fromkeys(["arrived", *(step.state for step in JOURNEY)]) if state not in _FINAL)
"""The states of a run that goes well until it is ready, in order."""


def tell(services: Services, run: Run, known: frozenset[str] | None = None) -> None:
    """Bring `run.json` and the outbox up to what the bucket holds.

    Args:
        known: what lay in the run a moment ago, if somebody has just looked.
    """
    seen = present(services.store, run) if known is None else known
    said = _said(services, run, seen)
    for key, kind, data in _due(services, run, seen, said):
        if key not in said:
            _say(services, run, key, kind, data, said)
    _keep_status(services, run, seen)


def _say(services: Services, run: Run, key: str, kind: str, data: dict[str, Any], said: dict[str, dict[str, Any]]) -> None:
    """Take the next place in the sequence. Whoever loses the race for it looks again at what was said meanwhile."""
    status = data.get("status") or state_of(present(services.store, run))
    body = checked(kind, {"job_id": run.run, "firm_id": run.firm, "status": status, **data})
    while key not in said:
        sequence = len(said) + 1
        event = {
            "key": key, "type": kind, "sequence": f"{sequence:010d}", "id": event_id(run.run, key),
            "time": stamp(services.clock()), "data": body,
        }  # fmt: skip
        if write_once(services.store, run.at("events", f"{sequence:010d}.json"), to_json(event)):
            said[key] = event
        else:
            said.update(_said(services, run, present(services.store, run)))


def event_id(run: str, key: str) -> str:
    """The same event has the same id on every attempt and every replay."""
    digest = hashlib.sha256(f"{run}\n{key}".encode()).digest()
    return "evt_" + base64.b32encode(digest).decode()[:26]


def _said(services: Services, run: Run, seen: Collection[str]) -> dict[str, dict[str, Any]]:
    names = sorted(k for k in seen if k.startswith("events/") and k.count("/") == 1)
    events = [dict(json.loads(data)) for data in read_once(services.store, [run.home + name for name in names])]
    return {str(event["key"]): event for event in events}


Due = tuple[str, str, dict[str, Any]]


def _due(services: Services, run: Run, seen: Collection[str], said: dict[str, dict[str, Any]]) -> Iterator[Due]:
    """Everything there is to say by now, in the order it came to pass."""
    store, public = services.store, services.settings.webhook.public_url.rstrip("/")
    review = f"{public}/review/{run.run}"
    if "0-original/manifest.json" in seen and "export.received" not in said:
        yield "export.received", "export.received", _received(services, run)
    if "refused.json" in seen:
        refusal = read_json(store, run.at("refused.json"))
        code = CODES[str(refusal["code"])]
        yield "export.rejected", "export.rejected", {"status": "refused", "code": refusal["code"], "safe": code.safe, "do": code.do}
    for name in sorted(k for k in seen if k.startswith("holds/") and not k.endswith(".released.json")):
        if name not in said:
            questions = read_json(store, run.home + name).get("questions")
            codes = [str(q["code"]) for q in questions] if isinstance(questions, list) else []
            groups = [{"rule": code, "count": codes.count(code), "has_proposal": False} for code in dict.fromkeys(codes)]
            yield name, "job.needs_decision", {"status": "held", "groups": groups, "review_url": review}
        released = name.removesuffix(".json") + ".released.json"
        if released in seen:
            step = name.removeprefix("holds/").rsplit("-", 1)[0]
            yield released, "job.decision_recorded", {"status": "received", "step": step, "answers": 1}
    if "1-split/tables.json" in seen and "job.started" not in said:
        yield "job.started", "job.started", _started(services, run)
    yield from _parts(services, run, seen, said)
    parts = parts_of(seen)
    if "1-split/tables.json" in seen and all(f"2-transform/{part}.json" in seen for part in parts):
        yield "job.transformed", "job.transformed", {"status": "transformed", "parts": len(parts)}
    if "3-merge/manifest.json" in seen:
        files = sum(1 for key in seen if key.startswith("3-merge/") and "/files/" in key)  # those of every target
        yield "job.merged", "job.merged", {"status": "merged", "files": files}
    if "4-verify/ledger.json" in seen and not {"job.verified", "job.verification_failed"} & set(said):
        kind, data = _verified(services, run)
        yield kind, kind, data | {"review_url": review, "api_url": f"{public}/v1/jobs/{run.run}"}
    if "failed.json" in seen:
        code = CODES[str(read_json(store, run.at("failed.json"))["code"])]
        yield "job.failed", "job.failed", {"status": "failed", "code": read_json(store, run.at("failed.json"))["code"], "safe": code.safe, "do": code.do, "retryable": False}


def _received(services: Services, run: Run) -> dict[str, Any]:
    manifest: Any = read_kept(services.store, run.at("0-original", "manifest.json"))
    arrival = read_kept(services.store, run.at("arrival.json"))
    first = manifest["files"][0]
    upload = {"key_hash": hashlib.sha256(str(arrival["key"]).encode()).hexdigest(), "size": arrival["size"], "sha256": first["sha256"]}
    files = [f for f in manifest["files"] if f["kind"] != "archive"]
    return {"status": "received", "object": upload, "files": len(files), "refused_files": len(manifest["refused"]), "duplicate_files": len(manifest["duplicates"])}


def _started(services: Services, run: Run) -> dict[str, Any]:
    split = read_kept(services.store, run.at("1-split", "tables.json"))
    tables: Any = split["tables"]
    reports: Any = read_kept(services.store, run.at("1-split", "quality.json"))["tables"]
    quality = [
        {"type": q["record"], "rows": q["rows"], "score": q["score"], "empty_key_fields": q["empty_key_fields"],
         "bad_formats": q["bad_formats"], "duplicates": q["duplicates"]["rows"], "orphans": q["orphans"]}
        for q in reports
    ]  # fmt: skip
    unknown: Any = split["unknown"]
    return {
        "status": "split", "source": split["source"], "confidence": split["confidence"],
        "parts": sum(len(t["parts"]) for t in tables), "rows_found": sum(t["lines"].get("data", 0) for t in tables),
        "quality": quality, "not_taken": sum(1 for t in tables if t["place"] == "excluded"), "unknown": len(unknown),
    }  # fmt: skip


def _parts(services: Services, run: Run, seen: Collection[str], said: dict[str, dict[str, Any]]) -> Iterator[Due]:
    parts = parts_of(seen)
    done = [part for part in parts if f"2-transform/{part}.json" in seen]
    for part in parts:
        again = lost(Ticket(run.firm, run.migration, run.run, "transform", part), seen)
        if again:
            yield f"retried:{part}:{again}", "job.part_retried", {"status": "split", "part_id": part, "attempt": again + 1}
        if part in done and f"aside/{part}.json" in seen and f"quarantined:{part}" not in said:
            outcome: Any = read_kept(services.store, run.at("2-transform", f"{part}.json"))
            code = "CF-129" if again >= services.settings.work.attempts else "CF-135"
            yield f"quarantined:{part}", "job.part_quarantined", {"status": "split", "part_id": part, "attempt": again, "code": code, "rows_affected": outcome["rows"]}
    if len(parts) > 1 and done and len(done) < len(parts):
        twentieth = 20 * len(done) // len(parts)
        latest = max((e["time"] for e in said.values() if e["type"] == "job.progress"), default="")
        if twentieth and stamp(services.clock() - _PROGRESS) >= latest:
            yield f"progress:{twentieth}", "job.progress", {"status": "split", "stage": "transform", "parts_done": len(done), "parts_total": len(parts)}


def _verified(services: Services, run: Run) -> tuple[str, dict[str, Any]]:
    ledger: Any = read_json(services.store, run.at("4-verify", "ledger.json"))
    counts = {
        t["record"]: {"exported": t["read"], "accepted": t["carried"], "rejected": t["quarantined"], "merged": t["merged"], "not_taken": t["excluded"]}
        for t in ledger["types"]
    }
    totals = [{"name": m["type"], "currency": m["currency"], "exported": m["carried"], "written": m["written"], "difference": m["difference"]} for m in ledger["money"]]
    targets = [
        {"target": t["target"], "state": t["state"], **{name: sum(r[name] for r in t["records"]) for name in ("in_files", "waiting", "not_held")}}
        for t in ledger.get("targets", [])
    ]  # fmt: skip
    failed = ledger["state"] == "failed"
    kind = "job.verification_failed" if failed else "job.verified"
    return kind, {"status": ledger["state"], "counts": counts, "targets": targets, "control_totals": totals, "differences": sum(1 for c in ledger["checks"] if not c["passed"])}


def _keep_status(services: Services, run: Run, seen: Collection[str]) -> None:
    """Write where the run is into `run.json`, on top of the version read; every change keeps its moment.

    What is written is what lies there after that version was read: whoever comes late with an older view takes no run back.
    """
    key, is_old = run.at("run.json"), True
    for _ in range(20):
        try:
            data, tag = services.store.get_tagged(key)
        except KeyError:
            data, tag = b"", ""
        new = _status(services, run, seen, data)
        if is_old and new != data and not _only_goes_on(data, new):
            seen, is_old = present(services.store, run), False
            new = _status(services, run, seen, data)
        if tag and new == data:
            return
        if services.store.swap(key, new, tag) if tag else services.store.put_once(key, new):
            return
        is_old = True


def _only_goes_on(before: bytes, after: bytes) -> bool:
    """True where a run that nobody ever held, and that was on its way, has come further: no view of it that is older says so."""
    if not before:
        return False
    was, now = (json.loads(data) for data in (before, after))
    reached = [name for name, _ in now["history"]]
    if was["state"] not in _ON_ITS_WAY or now["state"] != reached[-1] or "held" in reached:
        return False
    return now["state"] not in _ON_ITS_WAY or _ON_ITS_WAY.index(now["state"]) > _ON_ITS_WAY.index(was["state"])


def _status(services: Services, run: Run, seen: Collection[str], before: bytes) -> bytes:
    """`run.json` as it should be, given what it is; the same where nothing has changed."""
    state = state_of(seen)
    reasons: list[dict[str, str]] = []
    if state == "held":
        open_holds = [k for k in sorted(seen) if k.startswith("holds/") and not k.endswith(".released.json") and k.removesuffix(".json") + ".released.json" not in seen]
        for key in open_holds:
            questions = read_json(services.store, run.home + key)["questions"]
            reasons += [{str(k): str(v) for k, v in q.items()} for q in questions] if isinstance(questions, list) else []
    if state == "ready":
        state = str(read_json(services.store, run.at("4-verify", "ledger.json"))["state"])
    for name in ("refused", "failed"):
        if f"{name}.json" in seen:
            reasons = [{str(k): str(v) for k, v in read_json(services.store, run.at(f"{name}.json")).items()}]
    passed = [step.state for step in JOURNEY if step.makes in seen and not step.parts]
    if "1-split/tables.json" in seen and state_of(seen) in {"transformed", "merged", "ready"}:
        passed.insert(passed.index("split") + 1, "transformed")
    history = list(json.loads(before)["history"]) if before else []
    reached = [entry[0] for entry in history]
    for name in [*dict.fromkeys(passed), state]:
        if name not in reached or (name == state and reached[-1] != state and name not in passed):
            history.append([name, stamp(services.clock())])
            reached.append(name)
    return to_json({"state": state, "history": history, "reasons": reasons})
