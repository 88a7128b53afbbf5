"""Store the drop first, hashed and unaltered; look at every file; then ask whether the run may go on."""

import json
import re
from collections.abc import Iterator

from caseferry.canonical import sha256, to_json
from caseferry.errors import BrokenPromise, ExportRefused, NeedsAnswer, Question
from caseferry.keys import BadKey, Run, segment
from caseferry.manifest import Arrival, Intake, Kept, Refusal
from caseferry.reading.archive import Archive, is_noise
from caseferry.reading.kinds import Kind, kind_of
from caseferry.services.store import put_all
from tasks.intake.arrive import TEMPLATES, loose_files
from tasks.journey import Ticket
from tasks.stage import Services, choices_of, merged, present, read_json, read_model, run_of

_IN_TEMPLATES = re.compile(r"(?:^|/)templates/[^/]+$", re.IGNORECASE)


def intake(services: Services, ticket: Ticket) -> None:
    """Make `0-original/manifest.json`.

    Raises:
        ExportRefused: the drop as a whole can't be taken: a bomb, a locked or damaged archive, or nothing at all.
        BrokenPromise: the stored copy is not what was uploaded.
    """
    store, run = services.store, run_of(ticket)
    arrival = Arrival.model_validate(read_json(store, run.at("arrival.json")))
    received = services.clock().date()
    originals = list(_originals(services, run, arrival))
    if sum(len(data) for _, data in originals) > services.settings.limits.upload_bytes:
        raise ExportRefused("CF-130", "the upload", f"it passes limits.upload_bytes={services.settings.limits.upload_bytes}")
    files: list[Kept] = []
    refused: list[Refusal] = []
    members: list[tuple[str, str, bytes]] = []
    for number, (name, data) in enumerate(originals, 1):
        digest = sha256(data)
        key = run.at("0-original", _dated(name, received.isoformat(), number))
        store.put_once(key, data)
        if sha256(store.get(key)) != digest:
            raise BrokenPromise("the stored copy of the upload differs from what was uploaded")
        files.append(Kept(name=name, key=key, size=len(data), sha256=digest, kind=kind_of(data)))
        if kind_of(data) is Kind.ARCHIVE:
            members += _unpack(services, name, data, refused)
    templates = list(_templates(services, run))
    seen: dict[str, str] = {}
    duplicates: list[tuple[str, str]] = []
    whole = [(kept.name, "", store.get(kept.key)) for kept in files if kept.kind != Kind.ARCHIVE]
    listed: list[Kept] = [kept for kept in files if kept.kind == Kind.ARCHIVE]
    every = [(run.at("0-original", "files", f"{number:05d}"), *one) for number, one in enumerate([*whole, *members], 1)]
    put_all(store, [(key, data) for key, _, _, data in every])
    for key, name, archive, data in every:
        digest = sha256(data)
        kept = Kept(name=name, key=key, size=len(data), sha256=digest, kind=kind_of(data), archive=archive)
        if _IN_TEMPLATES.search(name):
            templates.append(kept)
            continue
        if digest in seen and data:
            duplicates.append((name, seen[digest]))
            kept = kept.model_copy(update={"kind": "duplicate"})
        seen.setdefault(digest, name)
        listed.append(kept)
    if not any(kept.kind != Kind.ARCHIVE for kept in listed):
        raise ExportRefused("CF-128", files[0].name if files else "the drop", "it holds no file")
    manifest = Intake(
        received_on=received, files=tuple(listed), refused=tuple(refused), duplicates=tuple(duplicates),
        templates=tuple(templates),
    )  # fmt: skip
    store.put_once(run.at("0-original", "manifest.json"), to_json(manifest))


def _originals(services: Services, run: Run, arrival: Arrival) -> Iterator[tuple[str, bytes]]:
    store = services.store
    if not arrival.loose:
        yield arrival.key.rsplit("/", 1)[-1], store.get(arrival.key)
        return
    for stat in loose_files(store, run.of):
        yield stat.key[len(run.of.drops) :], store.get(stat.key)


def _templates(services: Services, run: Run) -> Iterator[Kept]:
    """Template files of the target that lie beside the drop."""
    store = services.store
    for number, stat in enumerate(store.listing(run.of.drops + TEMPLATES), 1):
        data = store.get(stat.key)
        key = run.at("0-original", "templates", f"{number:03d}")
        store.put_once(key, data)
        yield Kept(name=stat.key[len(run.of.drops) :], key=key, size=len(data), sha256=sha256(data), kind=kind_of(data))


def _dated(name: str, day: str, number: int) -> str:
    """The key's last segment: the day of receipt, then the name the firm gave it."""
    last = name.rsplit("/", 1)[-1]
    wanted = last if last.startswith(day) else f"{day}_{last}"
    if number > 1:
        wanted = f"{day}_{number:04d}_{last}"
    try:
        return segment(wanted)
    except BadKey:
        return f"{day}_{number:04d}"


def _unpack(services: Services, name: str, data: bytes, refused: list[Refusal], depth: int = 0) -> Iterator[tuple[str, str, bytes]]:
    """Every file of an archive, one level of archives inside it included."""
    limits = services.settings.limits
    archive = Archive(data, name, limits)
    for entry in sorted(archive.entries, key=lambda one: one.name):
        if is_noise(entry.name):
            continue
        inner = archive.read(entry)
        shown = entry.name if depth == 0 else f"{name}/{entry.name}"
        if kind_of(inner) is not Kind.ARCHIVE:
            yield shown, name, inner
        elif depth >= limits.nesting:
            refused.append(Refusal(name=shown, code="CF-111", detail="archives lie too deep in archives"))
        else:
            try:
                yield from list(_unpack(services, entry.name, inner, refused, depth + 1))
            except ExportRefused as refusal:
                refused.append(Refusal(name=shown, code=refusal.code, detail=refusal.detail))


def admit(services: Services, ticket: Ticket) -> None:
    """Make `0-original/admission.json`: the firm's choices, fixed for this run.

    Raises:
        NeedsAnswer: the choices are not valid, the sender is not the account owner, or the scope is not acknowledged.
    """
    store, run = services.store, run_of(ticket)
    choices = _choices(services, run)
    released: list[dict[str, object]] = []
    for key in sorted(present(store, run)):
        if key.startswith("holds/admit-") and key.endswith(".released.json"):
            answer = read_json(store, run.home + key)
            released.append(answer)
            choices = merged(choices, answer.get("changes") or {})
    migration = choices_of(choices)
    questions = []
    if migration.account_owner is not True and not any(answer.get("cleared") for answer in released):
        found = "the choices say the sender is not the owner" if migration.account_owner is False else "the choices leave it open"
        questions.append(Question("CF-125", "hold: account owner", found, "account_owner"))
    if migration.options.require_acknowledgement and not migration.acknowledged_by:
        questions.append(Question("CF-127", "scope and limitations", "nobody has acknowledged them", "acknowledged_by"))
    if questions:
        raise NeedsAnswer(tuple(questions))
    store.put_once(run.at("0-original", "admission.json"), to_json(migration.model_dump(mode="json")))


def _choices(services: Services, run: Run) -> dict[str, object]:
    """`migration.json`: the one inside the archive, and over it, key by key, the one kept for the migration and the one
    beside the drop: its own event may still be on its way."""
    manifest = read_model(services.store, run.at("0-original", "manifest.json"), Intake)
    inside = [kept for kept in manifest.files if kept.name.rsplit("/", 1)[-1] == "migration.json"]
    choices: dict[str, object] = {}
    if inside:
        choices = _mapping(services.store.get(min(inside, key=lambda kept: kept.name.count("/")).key))
    for key in (run.of.choices, run.of.beside):
        try:
            choices = merged(choices, _mapping(services.store.get(key)))
        except KeyError:
            continue
    return choices


def _mapping(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError:
        raise NeedsAnswer((Question("CF-124", "migration.json", "it is not JSON", "migration.json"),)) from None
    if not isinstance(value, dict):
        raise NeedsAnswer((Question("CF-124", "migration.json", "it is not a mapping of choices", "migration.json"),))
    return value
