"""Write the schema and a recorded example of every event into docs/events/. Run: python docs/record_events.py"""

import json
from pathlib import Path
from typing import Any

from tasks.notify.events import CATALOGUE, checked, schema_of
from tasks.notify.outbox import event_id
from tasks.notify.sign import body_of

HERE = Path(__file__).parent / "events"
JOB = {"job_id": "run-0123456789abcdef", "firm_id": "doe-roe"}
EXAMPLES: dict[str, dict[str, Any]] = {
    "endpoint.test": {"message": "hello"},
    "export.received": {**JOB, "status": "received", "object": {"key_hash": "9f2c" * 16, "size": 245226, "sha256": "ab12" * 16}, "files": 47, "refused_files": 0, "duplicate_files": 0},
    "export.rejected": {**JOB, "status": "refused", "code": "CF-111", "safe": "it was not unpacked", "do": "raise the limit in the settings, or ask the sender what is inside"},
    "job.started": {**JOB, "status": "split", "source": "leap", "confidence": 0.973, "parts": 15, "rows_found": 8974, "not_taken": 3, "unknown": 1,
                    "quality": [{"type": "contact", "rows": 629, "score": 83, "empty_key_fields": 557, "bad_formats": 17, "duplicates": 3, "orphans": 0}]},
    "job.progress": {**JOB, "status": "split", "stage": "transform", "parts_done": 12, "parts_total": 60},
    "job.part_retried": {**JOB, "status": "split", "part_id": "t008-time-0003", "attempt": 2},
    "job.part_quarantined": {**JOB, "status": "split", "part_id": "t008-time-0003", "attempt": 3, "code": "CF-129", "rows_affected": 100000},
    "job.needs_decision": {**JOB, "status": "held", "groups": [{"rule": "CF-106", "count": 2, "has_proposal": False}], "review_url": "https://caseferry.example/review/run-0123456789abcdef"},
    "job.decision_recorded": {**JOB, "status": "received", "step": "split", "answers": 1},
    "job.transformed": {**JOB, "status": "transformed", "parts": 15},
    "job.merged": {**JOB, "status": "merged", "files": 22},
    "job.verified": {**JOB, "status": "completed_with_differences", "differences": 0,
                     "counts": {"contact": {"exported": 629, "accepted": 625, "rejected": 1, "merged": 3, "not_taken": 0}},
                     "control_totals": [{"name": "trust", "currency": "USD", "exported": "932291.70", "written": "932291.70", "difference": "0.00"}],
                     "review_url": "https://caseferry.example/review/run-0123456789abcdef", "api_url": "https://caseferry.example/v1/jobs/run-0123456789abcdef"},
    "job.failed": {**JOB, "status": "failed", "code": "CF-132", "safe": "nothing is ready to import", "do": "send the ledger to support; do not import these files", "retryable": False},
}  # fmt: skip
EXAMPLES["job.verification_failed"] = EXAMPLES["job.verified"] | {"status": "failed", "differences": 1}


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for number, kind in enumerate(CATALOGUE, 1):
        (HERE / f"{kind}.schema.json").write_text(json.dumps(schema_of(kind), indent=1, sort_keys=True) + "\n")
        event = {"id": event_id("run-0123456789abcdef", kind), "type": kind, "time": "2026-11-22T14:03:07Z", "sequence": f"{number:010d}", "data": checked(kind, EXAMPLES[kind])}
        body = body_of(event, "doe-roe", "run-0123456789abcdef", "https://caseferry.example")
        (HERE / f"{kind}.example.json").write_text(json.dumps(json.loads(body), indent=1) + "\n")


if __name__ == "__main__":
    main()
