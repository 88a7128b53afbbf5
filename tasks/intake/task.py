"""Store the drop first, hashed and unaltered; look at every file; then ask whether the run may go on."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from caseferry.abreast import beside
from caseferry.canonical import sha256, to_json
from caseferry.errors import BrokenPromise, ExportRefused, NeedsAnswer, Question
from caseferry.keys import BadKey, Run, segment
from caseferry.manifest import Arrival, Intake, Kept, Refusal, Uploaded
from caseferry.originals import ask_about
from caseferry.reading.guard import WORKS, Answer, Asked, ask_each
from caseferry.reading.kinds import LISTS, Kind
from caseferry.reading.memos import ENDINGS
from caseferry.services.scratch import Scratch, Span
from caseferry.services.store import Replaced, Stat, crc32_of, length_of, put_files, sha256_of
from tasks.intake.arrive import TEMPLATES, read_choices
from tasks.intake.unpack import Found, kind_behind, unpack
from tasks.journey import Ticket
from tasks.once import read_json, read_model, write_once
from tasks.stage import Services, choices_of, merged, present, run_of

_CHOICES = ("0-original", "choices.json")
_MAPPING = f"{WORKS}mapping"
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between looks for an object that was announced and is not there: some servers list late."""
_IN_TEMPLATES = re.compile(r"(?:^|/)templates/[^/]+$", re.IGNORECASE)


def intake(services: Services, ticket: Ticket) -> None:
    """Make `0-original/manifest.json`.

    Raises:
        ExportRefused: the drop as a whole can't be taken: a bomb, a locked or damaged archive, or nothing at all.
        BrokenPromise: the stored copy is not what was uploaded.
    """
    store, run = services.store, run_of(ticket)
    arrival = Arrival.model_validate(read_json(store, run.at("arrival.json")))
    received = arrival.at.date()
    if sum(one.size for one in arrival.objects) > services.settings.limits.upload_bytes:
        raise ExportRefused("CF-130", "the upload", f"it passes limits.upload_bytes={services.settings.limits.upload_bytes}")
    with Scratch() as scratch:
        files, found, refused = _stored(services, run, arrival, scratch)
        _keep_choices(services, run)
        every = [(one.held_by or run.at("0-original", "files", f"{number:05d}"), one) for number, one in enumerate(found, 1)]
        put_files(store, [(key, one.data) for key, one in every if not one.held_by])
    templates = list(_templates(services, run))
    seen: dict[str, str] = {}
    duplicates: list[tuple[str, str]] = []
    listed: list[Kept] = [kept for kept in files if kept.kind == Kind.ARCHIVE]
    for key, one in every:
        kept = Kept(name=one.name, key=key, size=one.size, sha256=one.sha256, kind=one.kind, archive=one.archive, packed=one.packed)
        if _IN_TEMPLATES.search(one.name) and kept.kind in {Kind.DELIMITED, Kind.WORKBOOK}:  # a firm's own letters lie in such folders too
            templates.append(kept)
            continue
        if one.sha256 in seen and one.size:
            duplicates.append((one.name, seen[one.sha256]))
            kept = kept.model_copy(update={"kind": "duplicate"})
        seen.setdefault(one.sha256, one.name)
        listed.append(kept)
    if not any(kept.kind != Kind.ARCHIVE for kept in listed):
        raise ExportRefused("CF-128", files[0].name if files else "the drop", "it holds no file")
    manifest = Intake(
        received_on=received, files=tuple(listed), refused=tuple(refused), duplicates=tuple(duplicates),
        templates=tuple(templates),
    )  # fmt: skip
    write_once(store, run.at("0-original", "manifest.json"), to_json(manifest))


def _is_read(one: Found) -> bool:
    """False for a firm's papers: they are thousands, nobody looks into them here, and the archive they came in is kept."""
    return one.kind in LISTS | {Kind.ACCESS, Kind.MAIL, Kind.JSON} or one.name.rsplit("/", 1)[-1] == "migration.json" or one.name.casefold().endswith(ENDINGS)


def _stored(services: Services, run: Run, arrival: Arrival, scratch: Scratch) -> tuple[list[Kept], list[Found], list[Refusal]]:
    """Every object of the drop, stored unaltered; and every file it holds, archives unpacked, with what could not be."""
    limits = services.settings.limits
    kept: list[Kept] = []
    whole: list[Found] = []
    members: list[Found] = []
    refused: list[Refusal] = []
    for number, one in enumerate(arrival.objects, 1):
        name = one.key.split("/", 3)[3] if arrival.loose else one.key.rsplit("/", 1)[-1]
        path = scratch.file()
        _fetch(services, one, path)
        key = run.at("0-original", _dated(name, arrival.at.date().isoformat(), number if len(arrival.objects) > 1 else 0))
        with beside(partial(sha256_of, path)) as told:
            is_proven = services.store.copy(key, _claimed(one), path)
            digest = told()
        if not is_proven:
            with Scratch() as aside:  # gone at once: it is as large as the upload
                back = aside.file()
                services.store.save(key, back)
                if sha256_of(back) != digest:
                    raise BrokenPromise("the stored copy of the upload differs from what was uploaded")
        kind = kind_behind(path, name, limits)
        kept.append(Kept(name=name, key=key, size=length_of(path), sha256=digest, kind=kind))
        if kind is Kind.ARCHIVE:
            every = unpack(path, name, limits, limits.nesting, refused, scratch)
            members += (_held(one, key, path) for one in every)
        else:
            whole.append(Found(name, "", kind, kept[-1].size, digest, held_by=key))
    return kept, [*whole, *members], refused


def _held(one: Found, key: str, path: Path) -> Found:
    """A file of an archive, with the object that holds it: the archive, if it is a paper or lies in that very archive."""
    if not _is_read(one):
        return replace(one, held_by=key, packed=None)
    if one.packed is None:
        return one  # of an archive in the archive: it would have to be unpacked twice to be read
    with path.open("rb") as file:
        crc32 = crc32_of(Span(file, one.packed.start, one.packed.length))
    return replace(one, held_by=key, packed=one.packed.model_copy(update={"crc32": crc32}))


def _claimed(one: Uploaded) -> Stat:
    return Stat(one.key, one.size, one.tag, one.version)


def _fetch(services: Services, one: Uploaded, path: Path) -> None:
    """Save an object in the very version that was claimed."""
    stat = _claimed(one)
    for pause in (*_PAUSES, None):
        try:
            return services.store.save(one.key, path, stat)
        except Replaced:
            raise ExportRefused("CF-140", "the upload") from None
        except KeyError:
            if pause is None:
                raise ExportRefused("CF-141", "the upload") from None
            time.sleep(pause)
    raise BrokenPromise("an upload was neither there nor gone")


def _templates(services: Services, run: Run) -> Iterator[Kept]:
    """Template files of the target that lie beside the drop."""
    store = services.store
    for number, stat in enumerate(store.listing(run.of.drops + TEMPLATES), 1):
        key = run.at("0-original", "templates", f"{number:03d}")
        store.put_once(key, store.get(stat.key))
        data = store.get(key)  # an earlier attempt may have kept another
        yield Kept(name=stat.key[len(run.of.drops) :], key=key, size=len(data), sha256=sha256(data), kind=Kind.DELIMITED)


def _keep_choices(services: Services, run: Run) -> None:
    """The choices beside the drop, as they were when it was stored: what lies in drops/ may be cleared away at any time."""
    data = read_choices(services.store, run.of.beside)
    if data is not None:
        services.store.put_once(run.at(*_CHOICES), data)


def _dated(name: str, day: str, number: int) -> str:
    """The key's last segment: the day of receipt, then the name the firm gave it."""
    last = name.rsplit("/", 1)[-1]
    wanted = last if last.startswith(day) else f"{day}_{last}"
    if number:
        wanted = f"{day}_{number:04d}_{last}"
    try:
        return segment(wanted)
    except BadKey:
        return f"{day}_{number:04d}"


def admit(services: Services, ticket: Ticket) -> None:
    """Make `0-original/admission.json`: the firm's choices, fixed for this run.

    Raises:
        NeedsAnswer: the choices are not valid, or the sender is not the account owner.
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
    if questions:
        raise NeedsAnswer(tuple(questions))
    write_once(store, run.at("0-original", "admission.json"), to_json(migration.model_dump(mode="json")))


def _choices(services: Services, run: Run) -> dict[str, object]:
    """`migration.json`: the one inside the archive, and over it, key by key, the one kept for the migration and the one
    beside the drop: its own event may still be on its way."""
    manifest = read_model(services.store, run.at("0-original", "manifest.json"), Intake)
    inside = [kept for kept in manifest.files if kept.name.rsplit("/", 1)[-1] == "migration.json"]
    choices: dict[str, object] = {}
    limits = services.settings.limits
    if inside:
        choices = _told(ask_about(services.store, [min(inside, key=lambda kept: kept.name.count("/"))], [(_MAPPING, {})], limits)[0])
    newer = [data for data in (read_choices(services.store, key) for key in (run.of.choices, run.of.beside)) if data is not None]
    kept = read_choices(services.store, run.at(*_CHOICES))
    for data in newer or ([kept] if kept is not None else []):  # the copy only where nothing newer is left: it may be what was corrected
        choices = merged(choices, _told(ask_each([Asked(_MAPPING, data, "migration.json", {})], limits)[0]))
    return choices


def _told(answer: Answer | ExportRefused) -> dict[str, object]:
    if isinstance(answer, ExportRefused):
        raise NeedsAnswer((Question("CF-124", "migration.json", answer.detail, "migration.json"),))
    value: dict[str, object] = answer.made
    return value
