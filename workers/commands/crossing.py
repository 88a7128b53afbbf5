"""`check` and `run`: one firm's export on this computer, in this process, over a folder."""

import io
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from workers.commands.show import give, message, say, totals, waiting

FIRM = MIGRATION = "local"
HIDDEN = ".caseferry"


def read_choices(path: Path, migration: Path | None) -> dict[str, Any]:
    """`migration.json` as named, or beside the export, or nothing."""
    beside = path / "migration.json" if path.is_dir() else path.parent / "migration.json"
    chosen = migration or (beside if beside.is_file() else None)
    if chosen is None:
        return {}
    try:
        value = json.loads(chosen.read_bytes())
    except FileNotFoundError:
        raise Stop(1, message("CF-101", str(chosen.name))) from None
    except ValueError:
        raise Stop(2, message("CF-124", chosen.name, "it is not JSON")) from None
    if not isinstance(value, dict):
        raise Stop(2, message("CF-124", chosen.name, "it is not a mapping of choices"))
    return value


class Stop(Exception):
    """The command ends here, with this exit code and message."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(code)
        self.code, self.text = code, text


MOVED = "moved.parquet"
"""What a run has moved, among its results: a later run of the same firm is told of it."""


def come_after(choices: dict[str, Any], results: Path) -> tuple[str, bytes]:
    """What the run whose results lie in a folder has moved, by a name; the choices name it too."""
    from caseferry.canonical import sha256

    path = results / MOVED if results.is_dir() else results
    if not path.is_file():
        raise Stop(1, message("CF-101", str(path), "a run keeps it with options.open_matters_stay or options.another_follows"))
    data = path.read_bytes()
    name = f"moved-{sha256(data)[:16]}"
    choices["options"] = {**choices.get("options", {}), "after": name}
    return name, data


def lay_drop(store: Any, export: Path, choices: dict[str, Any], templates: Path | None, moved: tuple[str, bytes] | None = None) -> str:
    """Copy the export into the store as an upload would; return the key that rings."""
    from caseferry.canonical import to_json
    from caseferry.keys import Migration
    from caseferry.reading.kinds import Kind
    from config.limits import ReadingLimits
    from tasks.intake.unpack import kind_behind

    where = Migration(FIRM, MIGRATION)
    store.put(where.choices, to_json(choices))
    if moved:
        store.put(where.moved(moved[0]), moved[1])
    for template in sorted(templates.iterdir()) if templates else ():
        store.put(f"{where.drops}templates/{template.name}", template.read_bytes())
    data, name = (export.read_bytes(), export.name) if export.is_file() else (pack_folder(export), f"{export.resolve().name}.zip")
    key = f"{where.drops}{name}"
    store.put(key, data)
    if kind_behind(data, name, ReadingLimits()) is Kind.ARCHIVE:
        return key
    closer = f"{where.drops}_complete"
    store.put(closer, b"")
    return closer


def pack_folder(folder: Path) -> bytes:
    """A folder as the archive it would be sent as; our own results and hidden files are left out."""
    own = {path.parent for path in folder.rglob(HIDDEN)}
    files = [
        path for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts) and not own & set(path.parents)
    ]  # fmt: skip
    if not files:
        raise Stop(1, message("CF-128", folder.resolve().name, "the folder is empty"))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            packed.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()


def valid(choices: dict[str, Any]) -> None:
    """Stop at once where a choice given here can't be right."""
    from caseferry.errors import NeedsAnswer
    from tasks.stage import choices_of

    try:
        choices_of(choices)
    except NeedsAnswer as ask:
        raise Stop(2, "\n".join(message(q.code, q.where, q.detail) for q in ask.questions)) from None


def find_export(path: Path) -> Path:
    """The export, or a message with the likeliest spelling."""
    if path.exists():
        return path
    import difflib

    near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else [], 1)
    hint = f"did you mean {path.parent / near[0]}?" if near else ""
    raise Stop(1, message("CF-101", str(path), hint))


def run_export(export: Path, choices: dict[str, Any], out: Path, templates: Path | None, *, again: bool, as_json: bool, strict: bool, after: Path | None = None) -> int:
    """The whole journey; the results lie in `out` afterwards."""
    say(f"Caseferry · {export.resolve().name} · nothing leaves this computer")
    moved = come_after(choices, after) if after else None
    valid(choices)
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.stage import present, release, run_of
    from workers.inprocess import cross, rest

    hidden = out / HIDDEN
    out.mkdir(parents=True, exist_ok=True)
    store = FolderStore(hidden / "bucket")
    services = local_services(store)
    key = lay_drop(store, export, choices, templates, moved)
    tickets = arrive(services, key)
    if not tickets:
        raise Stop(1, message("CF-128", export.name))
    run = run_of(tickets[0])
    state = rest(services, run)
    same = hidden / "choices.json"
    before = json.loads(same.read_text()) if same.is_file() else None
    if state == "held":
        release(services, run, "caseferry run", choices)
    elif "0-original/manifest.json" in present(store, run):
        if not again and before == choices and state.startswith("completed"):
            say(message("CF-109", export.name))
            return show_result(services, run, out, as_json, strict)
        shutil.rmtree(hidden / "bucket")
        store = FolderStore(hidden / "bucket")
        services = local_services(store)
        tickets = arrive(services, lay_drop(store, export, choices, templates, moved))
    same.write_text(json.dumps(choices))
    shown = _Progress()
    cross(services, run, lambda ticket: shown.step(services, run, ticket))
    return show_result(services, run, out, as_json, strict)


def local_services(store: Any) -> Any:
    """Services over a folder. The log is off: what is to be said is said by the command."""
    import logging

    from config.settings import LogSettings, Settings
    from tasks.news import tell
    from tasks.stage import Services
    from workers.memory import seldom

    settings = Settings(log=LogSettings(level="error"))
    from config.logging import configure

    configure(settings.log)
    logging.disable(logging.CRITICAL)
    seldom()
    return Services(store, settings, tell=tell)


class _Progress:
    """One line per stage, as it ends."""

    def step(self, services: Any, run: Any, ticket: Any) -> None:
        from tasks.journey import parts_of
        from tasks.once import read_json
        from tasks.stage import present

        seen = present(services.store, run)
        if ticket.step == "intake":
            manifest = read_json(services.store, run.at("0-original", "manifest.json"))
            files: Any = manifest["files"]
            say(f"  received   {sum(1 for f in files if f['kind'] != 'archive')} files, hashed and kept as they came")
        elif ticket.step == "split":
            split: Any = read_json(services.store, run.at("1-split", "tables.json"))
            kinds = " ".join(dict.fromkeys(t["kind"] for t in split["tables"]))
            say(f"  told       {split['product']} export, {split['confidence']:.0%} of the columns known: {kinds}")
        elif ticket.step == "transform":
            parts = parts_of(seen)
            done = sum(1 for part in parts if f"2-transform/{part}.json" in seen)
            if done == len(parts):
                split = read_json(services.store, run.at("1-split", "tables.json"))
                rows = sum(sum(t["part_rows"]) for t in split["tables"])
                say(f"  transform  {rows:,}/{rows:,} rows in {len(parts)} parts")


def show_result(services: Any, run: Any, out: Path, as_json: bool, strict: bool) -> int:
    """Say how the run ended and put its files where the person looks for them."""
    from tasks.once import read_json
    from workers.inprocess import rest

    state = rest(services, run)
    status = read_json(services.store, run.at("run.json"))
    if state in {"held", "refused", "failed"} and "4-verify/ledger.json" not in _seen(services, run):
        reasons: Any = status["reasons"]
        if as_json:
            give({"state": state, "reasons": reasons})
        for reason in reasons:
            say(message(reason["code"], reason.get("where", ""), reason.get("detail", "")))
        if publish_map(services, run, out):
            say(f"  Field map {out / 'field-map.html'}\n  Scope     {out / 'scope.html'}")
        return 3 if state == "held" else 1
    ledger: Any = read_json(services.store, run.at("4-verify", "ledger.json"))
    publish(services, run, out)
    if as_json:
        give({"state": state, "out": str(out), "ledger": ledger})
    else:
        for line in [*totals(ledger), *waiting(ledger)]:
            print(line)
        print(f"\n  Report   {out / 'report.html'}\n  Files    {out / 'import-files'}\n  Waiting  {out / 'report.xlsx'}")
    if state == "failed":
        say(message("CF-132", "verification"))
        return 1
    return 1 if strict and state != "completed" else 0


def _seen(services: Any, run: Any) -> Any:
    from tasks.stage import present

    return present(services.store, run)


def publish(services: Any, run: Any, out: Path) -> None:
    """Copy the results out of the store: import files, the others, ledger, reports."""
    from tasks.once import read_json

    merged: Any = read_json(services.store, run.at("3-merge", "manifest.json"))
    ledger: Any = read_json(services.store, run.at("4-verify", "ledger.json"))
    for folder in ("import-files", "not-import-files", "neutral-package", "targets"):
        shutil.rmtree(out / folder, ignore_errors=True)
    is_asked = any(name not in {fit["target"] for fit in merged["fits"]} for name in ledger["named"])
    for file in merged["files"]:
        folder = "neutral-package" if not is_asked else "import-files" if file["is_import"] else "not-import-files"
        _copy(services, run.at("3-merge", "files", file["name"]), out / folder / file["name"])
    for fit in merged["fits"]:
        for file in fit["files"]:
            folder = "import-files" if file["is_import"] else "not-import-files"
            _copy(services, run.at("3-merge", fit["target"], "files", file["name"]), out / folder / fit["target"] / file["name"])
        _copy(services, run.at("3-merge", fit["target"], "load-plan.json"), out / "import-files" / fit["target"] / "load-plan.json")
        _copy(services, run.at("4-verify", "targets", f"{fit['target']}.json"), out / "targets" / f"{fit['target']}.json")
    publish_map(services, run, out)
    (out / MOVED).unlink(missing_ok=True)
    if services.store.stat(run.of.moved(run.run)):
        _copy(services, run.of.moved(run.run), out / MOVED)
    for name in ("report.html", "report.xlsx", "ledger.json", "sample.json"):
        (out / name).write_bytes(services.store.get(run.at("4-verify", name)))
    for name in ("changes.csv", "findings.csv"):
        _unpack(services, run.at("4-verify", f"{name}.gz"), out / name)
    shutil.rmtree(out / "audit", ignore_errors=True)
    (out / "audit").mkdir()
    for key in sorted(key for key in _seen(services, run) if key.startswith("audit/")):
        (out / key).write_bytes(services.store.get(run.home + key))


def publish_map(services: Any, run: Any, out: Path) -> bool:
    """Copy the field map and the scope out, if they are drawn already."""
    seen = [name for name in ("field-map.html", "field-map.xlsx", "field-map.json", "scope.html") if f"3-merge/{name}" in _seen(services, run)]
    for name in seen:
        _copy(services, run.at("3-merge", name), out / name)
    return bool(seen)


def _copy(services: Any, key: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    services.store.save(key, to)


def _unpack(services: Any, key: str, to: Path) -> None:
    from isal import igzip

    with tempfile.TemporaryDirectory(prefix="caseferry-") as folder:
        packed = Path(folder) / "log.gz"
        services.store.save(key, packed)
        with igzip.open(packed, "rb") as text, to.open("wb") as out:  # type: ignore[no-untyped-call]
            shutil.copyfileobj(text, out, 1 << 20)


def check_export(export: Path, choices: dict[str, Any], as_json: bool) -> int:
    """Read only: what it is, what will and will not move, what is odd. Writes nothing beside a folder it removes."""
    say(f"Caseferry · {export.resolve().name} · read only")
    valid(choices)
    from caseferry.canonical import to_json
    from caseferry.choices import Migration
    from caseferry.services.folder import FolderStore
    from tasks.intake.arrive import arrive
    from tasks.journey import next_steps
    from tasks.once import read_json
    from tasks.stage import perform, present, release, run_of
    from workers.commands.rehearsal import answers
    from workers.commands.scope import scope_of

    with tempfile.TemporaryDirectory(prefix="caseferry-check-") as folder:
        store = FolderStore(Path(folder))
        services = local_services(store)
        tickets = arrive(services, lay_drop(store, export, choices, None))
        if not tickets:
            raise Stop(1, message("CF-128", export.name))
        run, released = run_of(tickets[0]), False
        while tickets := next_steps((run.firm, run.migration, run.run), present(store, run)):
            if not all([perform(services, ticket) for ticket in tickets]):
                if tickets[0].step in {"link", "merge"} and "3-merge/field-map.json" in present(store, run) and not released:
                    released = True  # a dry run needs no approval; columns nobody decided about are asked about all the same
                    drawn: Any = read_json(store, run.at("3-merge", "field-map.json"))
                    held: Any = read_json(store, run.at("run.json"))["reasons"]
                    release(services, run, "check", answers(drawn, held, "check"))
                    continue
                if tickets[0].step != "admit":
                    break
                # A dry run goes on without an admission, and says what it will ask.
                store.put_once(run.at("0-original", "admission.json"), to_json(Migration.model_validate(choices).model_dump(mode="json")))
        reasons: Any = read_json(store, run.at("run.json"))["reasons"]
        asked = [q for key in present(store, run) if key.startswith("holds/") and not key.endswith(".released.json") for q in _questions(store, run, key) if q["code"] not in {"CF-147", "CF-127"}]
        scope = scope_of(services, run, [*asked, *(r for r in reasons if r not in asked)])
    if as_json:
        give(scope.data)
    else:
        print("\n".join(scope.lines))
        for question in scope.data["questions"]:
            say("\n" + message(question["code"], question.get("where", ""), question.get("detail", "")))
    return 1 if scope.data["needs_a_person"] else 0


def _questions(store: Any, run: Any, key: str) -> list[dict[str, str]]:
    return list(json.loads(store.get(run.home + key))["questions"])
