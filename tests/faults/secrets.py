"""No word of a client's outside the bucket; no secret of ours anywhere."""

import ast
import io
import json
import logging
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from config.logging import ALLOWED, configure
from config.settings import LogSettings, Settings
from tests.crossing import CHOICES, Crossings, firm
from tests.faults.campaign import Counts, Ground, fault
from tests.faults.deployment import deployed
from tests.faults.firms import MARK, export

ROOT = Path(__file__).parents[2]


def _hits(folder: Path) -> list[str]:
    """Files below a folder that hold the mark, the object store's own left out."""
    outside = [path for path in folder.rglob("*") if path.is_file() and "weed" not in path.relative_to(folder).parts and path.name != "s3.log"]
    return [path.name for path in outside if MARK.encode() in path.read_bytes()]


@fault(71)
def the_mark(ground: Ground) -> Counts:
    """Every cell and file name carries a mark. Runs go well, fail, are retried, killed and refused, with the log wide
    open; then everything outside the bucket is searched: broker, logs, webhooks, process list, dumps.
    """
    from workers.commands.receiver import Receiver

    receiver = Receiver()
    receiver.start()
    choices = CHOICES | {"users": [{"name": f"{MARK}U", "email": f"{MARK}u@x.example"}], "primary_subscriber": f"{MARK}u@x.example", "firm_name": f"{MARK}Z"}
    environment: dict[str, Any] = {
        "CASEFERRY_WEBHOOK__ENDPOINTS": json.dumps([{"id": "canary", "url": receiver.url, "secret": receiver.secret}]), "CASEFERRY_WEBHOOK__ALLOW_NETWORKS": '["127.0.0.0/8"]',
        "CASEFERRY_LOG__LEVEL": "debug", "CASEFERRY_WORK__PART_ROWS": "2",
    }  # fmt: skip
    runs = 0
    processes = ""
    try:
        for kind, extra in (("good", {}), ("raises", {"FAULT_RAISE": "transform", "FAULT_TEXT": f"{MARK} in a message"}), ("dies", {"FAULT_POISON": "t001-cards-0001"})):
            with deployed(ground.folder / kind, **environment, **extra) as there:
                there.start(workers=1, concurrency=2)
                for number in range(ground.n(2, 1)):
                    where = f"{kind}-{number}/trial"
                    there.upload(where, export(number, 3, MARK), f"{MARK}{number}.zip", choices)
                    there.upload(f"{kind}-bad-{number}/trial", b"PK\x03\x04" + MARK.encode() * 50, f"{MARK}bad.zip", choices)
                for number in range(ground.n(2, 1)):
                    if kind == "good":
                        there.kill(there.workers[0])
                        there.revive()
                    there.wait(f"{kind}-{number}/trial", "4-verify/ledger.json", "failed.json")
                    there.wait(f"{kind}-bad-{number}/trial", "refused.json", "failed.json")
                    runs += 2
                processes += subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
                there.redis().bgrewriteaof()
                time.sleep(1)
                memory = b"".join(there.redis().dump(key) or b"" for key in there.redis().keys("*"))
                assert MARK.encode() not in memory
            assert _hits(ground.folder / kind) == [], (kind, _hits(ground.folder / kind))
        assert MARK not in processes
        assert MARK not in json.dumps(list(receiver.ids.values())) and len(receiver.ids) > runs
        cores = [path for path in [*ROOT.glob("core*"), *Path("/tmp").glob("core*"), *ground.folder.rglob("core*")] if path.is_file()]
        assert cores == []
    finally:
        receiver.stop()
    lines = sum(len(path.read_text(errors="replace").splitlines()) for path in ground.folder.rglob("processes.log"))
    return {"runs": runs, "log lines searched": lines, "events searched": len(receiver.ids), "hits": 0, "core dumps": 0}


def _logged(work: Any, level: str = "debug") -> list[str]:
    stream = io.StringIO()
    before = (logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config())
    disabled = logging.root.manager.disable
    logging.disable(logging.NOTSET)
    try:
        configure(LogSettings(level=level), stream)  # type: ignore[arg-type]
        work(structlog.stdlib.get_logger("caseferry"))
    finally:
        logging.getLogger().handlers[:], _ = before[0], logging.getLogger().setLevel(before[1])
        structlog.configure(**before[2])
        logging.disable(disabled)
    return stream.getvalue().splitlines()


@fault(72)
def an_exception_whose_text_is_a_cell(ground: Ground) -> Counts:
    crossing = Crossings(ground.folder)
    import tasks.transform.task as room

    real = room.transform_table
    room.transform_table = lambda *_: (_ for _ in ()).throw(ValueError(f"{MARK} Jane Doe"))  # type: ignore[assignment]
    try:
        made: list[Any] = []
        lines = _logged(lambda log: made.append(crossing(firm())))
    finally:
        room.transform_table = real
    run = made[0]
    assert run.state == "completed_with_differences"
    told = [line for line in lines if "ValueError" in line]
    assert told and all(MARK not in line for line in lines) and "where_in_code" in told[0]
    kept = b"".join(run.store.get(stat.key) for stat in run.store.listing(run.run.home) if "/events/" in stat.key or stat.key.endswith("run.json") or "/aside/" in stat.key)
    assert MARK.encode() not in kept
    return {"exceptions": len(told), "lines with the cell": 0, "lines with class and place": len(told)}


@fault(73)
def words_that_break_a_log(ground: Ground) -> Counts:
    probes = ["a\nb", "a\r\nb", "\x1b[2Jb", "\u202eabc", "\u2028", "\x00", '"} {"x":"', "x" * 1_000_000, "%s %d", "{0}", "\ud800"]

    def work(log: Any) -> None:
        for probe in probes:
            log.info("probe", reason=probe, cell=probe, firm=probe)
            logging.getLogger("library").error("library says %s", probe)
            logging.getLogger(probe[:50]).warning(probe)

    lines = _logged(work)
    for line in lines:
        value = json.loads(line)
        assert set(value) <= ALLOWED | {"count_of_fields_left_out"}, set(value)
        assert len(line) < 2048 and line.isascii() and line.isprintable(), line[:100]
    assert len(lines) == 3 * len(probes)
    return {"probes": len(probes), "lines": len(lines), "lines that are not one JSON": 0, "longest line": max(len(line) for line in lines)}


@fault(74)
def labels_of_metrics(ground: Ground) -> Counts:
    """There are no metrics yet. What would become their labels, the fields of the log, is a fixed list without a value."""
    imported = [path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts and re.search(r"^(?:import|from) (?:prometheus_client|opentelemetry|statsd)", path.read_text(), re.MULTILINE)]
    assert imported == []
    assert not ALLOWED & {"name", "email", "value", "cell", "text", "key", "file", "path", "url", "description", "message"}
    return {"metrics libraries": 0, "fields a log line may have": len(ALLOWED), "fields that could hold a client's word": 0}


@fault(80, 110)
def secrets_of_ours(ground: Ground) -> Counts:
    """In the tree, in what a settings object prints, in the message about a setting that is refused, on command lines."""
    patterns = {
        "AWS key": r"\bAKIA[0-9A-Z]{16}\b", "private key": r"-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----", "webhook secret": r"whsec_[A-Za-z0-9+/]{24,}", "token": r"\b(?:ghp|gho|xox[bp]|sk_live)_[A-Za-z0-9]{20,}",
    }  # fmt: skip
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False).stdout.splitlines() or [str(p.relative_to(ROOT)) for p in ROOT.rglob("*.py") if ".venv" not in p.parts]
    found = []
    for name in tracked:
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000:
            text = path.read_bytes().decode("utf-8", "ignore")
            found += [(name, kind) for kind, pattern in patterns.items() if re.search(pattern, text) and not (kind == "webhook secret" and name.startswith("tests/"))]
    assert found == [], found
    secret = "SECRET9q8w7e"
    given: dict[str, Any] = {
        "s3": {"secret_key": secret}, "broker": {"url": f"redis://:{secret}@h:6379/0"}, "events": {"webhook_token": secret},
        "webhook": {"endpoints": [{"id": "x", "url": "https://x.example", "secret": f"whsec_{secret}"}]},
    }  # fmt: skip
    settings = Settings(_env_file=None, **given)
    shown = repr(settings) + str(settings) + settings.model_dump_json() + f"{settings.s3}"
    assert secret not in shown
    leaks = 0
    for group, wrong in (("audit", {"key": secret}), ("s3", {"secret_key": {"x": secret}}), ("webhook", {"endpoints": [{"id": "a b", "url": 1, "secret": secret}]}), ("broker", {"url": [secret], "visibility_timeout": secret})):
        try:
            Settings(_env_file=None, **{group: wrong})
        except ValueError as error:
            leaks += secret in str(error)
    assert leaks == 0
    listed = subprocess.run([sys.executable, "-c", "import os; os.environ['CASEFERRY_S3__SECRET_KEY']='SECRET9q8w7e'; import subprocess; print(subprocess.run(['ps','axww','-o','args'],capture_output=True,text=True).stdout)"], capture_output=True, text=True, check=True).stdout
    assert listed.count(secret) <= 1  # the command line of this very check
    return {"files searched": len(tracked), "secrets in them": 0, "in what settings print": 0, "in refusals of settings": leaks, "on command lines": 0}


_FORBIDDEN = {
    "pickle": "import", "marshal": "import", "shelve": "import", "xml.etree": "import", "xml.dom": "import", "xml.sax": "import", "telnetlib": "import", "ftplib": "import", "dill": "import",
    "eval": "call", "exec": "call", "compile": "call", "extractall": "attribute", "unsafe_load": "attribute", "full_load": "attribute", "mktemp": "attribute", "system": "attribute", "popen": "attribute",
}  # fmt: skip


@fault(89)
def dangerous_calls(ground: Ground) -> Counts:
    """Our own rules over the syntax tree, beside those of the linter that runs with every test."""
    found: list[str] = []
    files = [path for room in ("caseferry", "config", "tasks", "workers") for path in (ROOT / room).rglob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                found += [f"{place} {name}" for name in names if any(name == bad or name.startswith(bad + ".") for bad, how in _FORBIDDEN.items() if how == "import")]
            elif isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
                how = _FORBIDDEN.get(called)
                plain = isinstance(node.func, ast.Name)
                if (how == "call" and plain) or (how == "attribute" and not plain):
                    found.append(f"{place} {called}()")
                if any(word.arg == "shell" and isinstance(word.value, ast.Constant) and word.value.value for word in node.keywords):
                    found.append(f"{place} shell=True")
                if called == "load" and "yaml" in ast.unparse(node.func) and "Safe" not in ast.unparse(node):
                    found.append(f"{place} yaml.load()")
    assert found == [], found
    checked = subprocess.run([sys.executable, "-m", "ruff", "check", "--select", "S", "--ignore", "S101,S603", "--quiet", *map(str, ("caseferry", "config", "tasks", "workers"))], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-300:]
    return {"files": len(files), "rules of ours": len(_FORBIDDEN) + 2, "findings": 0, "findings of the linter's security rules": 0}
