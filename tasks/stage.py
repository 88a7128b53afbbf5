"""What all stages share: what they are handed, holds, and the one way a step is carried out."""

import importlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from caseferry.canonical import to_json
from caseferry.choices import Migration
from caseferry.codes import CODES
from caseferry.errors import CaseferryError, ExportRefused, NeedsAnswer, PassingFault, Question, StorageRefused
from caseferry.keys import Run
from caseferry.manifest import FORMAT, Arrival, Split
from caseferry.services.store import ObjectStore
from tasks.attempts import alive, begin, begun, done_with, ended, is_dead, lost, open_attempt, pronounce_lost
from tasks.journey import ATTEMPTS, ENDED, JOURNEY, LINES, PARTS, ROWS, STEPS, Ticket, is_milestone, is_news, next_steps
from tasks.once import read_json, read_model

if TYPE_CHECKING:
    from config.settings import Settings

log = structlog.get_logger()


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Services:
    """What a step is handed. Built once for each process; no step reads the environment."""

    store: ObjectStore
    settings: "Settings"
    clock: Callable[[], datetime] = now
    tell: Callable[..., None] = field(default=lambda services, run, seen=None: None)
    """Says where the run is, in `run.json` and the outbox; it may be handed what lay in the run a moment ago. Safe to call at
    any time, any number of times."""
    seen: frozenset[str] | None = None
    """What lay in the run when the step was begun, where somebody looked at all of it."""


def run_of(ticket: Ticket) -> Run:
    return Run(ticket.firm, ticket.migration, ticket.run)


def present(store: ObjectStore, run: Run) -> frozenset[str]:
    """The keys that lie below a run."""
    return frozenset(stat.key[len(run.home) :] for stat in store.listing(run.home))


def look(services: Services, ticket: Ticket) -> frozenset[str]:
    """The keys below a run, as far as a step has to know of them: for what is done a part at a time mostly only its own.

    A listing of everything at each part would grow with the square of the parts. The parts that say where the run is,
    and the last of them, of which one finds that all are done, look at the whole.
    """
    store, run = services.store, run_of(ticket)
    known = _known(services, ticket)
    if not known:
        return present(store, run)
    makes = STEPS[ticket.step].makes
    places = [makes.split("{part}", 1)[0], ROWS] if ticket.step == "count" else [makes.format(part=ticket.part).removesuffix("json")]
    begun = f"{ATTEMPTS}{ticket.step}-" if STEPS[ticket.step].is_uneven else f"{ATTEMPTS}{ticket.name}."
    own = [*(run.home + place for place in places), run.home + begun]
    found = {stat.key[len(run.home) :] for prefix in own for stat in store.listing(prefix)}
    failed = {"failed.json"} if store.stat(run.at("failed.json")) else set()
    return frozenset(known | found | failed)


def _known(services: Services, ticket: Ticket) -> set[str]:
    """Keys that a part of a step need not look for, because they must be there; nothing where it has to look at all of them."""
    step = STEPS[ticket.step]
    if not step.parts or ticket.part == LINES:  # those are counted beside the merge, and of a run whose batches nobody counts apart
        return set()
    made = {one.makes for one in JOURNEY[: JOURNEY.index(step)] if not one.parts}
    if ticket.step == "count":
        return made if services.store.stat(run_of(ticket).at("3-merge", "manifest.json")) else set()
    parts = _parts_around(services, ticket)
    return made | {f"{PARTS}{part}.zip" for part in parts} if parts else set()


def _parts_around(services: Services, ticket: Ticket) -> list[str]:
    """All parts of the run if this one stands in the middle of them: neither among the last, nor overtaken by them, nor one
    of those that say how far the run is. Else nothing.
    """
    store, run = services.store, run_of(ticket)
    try:
        split = read_model(store, run.at("1-split", "tables.json"), Split)
    except KeyError:
        return []
    parts = sorted(part for table in split.tables for part in table.parts)
    number = parts.index(ticket.part) if ticket.part in parts else len(parts)
    turn = number + services.settings.work.window
    is_apart = turn >= len(parts) or is_milestone(number, len(parts)) or store.stat(run.home + STEPS[ticket.step].makes.format(part=parts[turn])) is not None
    return [] if is_apart else parts  # if others have overtaken it, it may itself be the last


def _done(services: Services, ticket: Ticket, seen: frozenset[str], mark: str, *, is_alone: bool) -> frozenset[str]:
    """What lies there once a step was carried out: of a part in the middle all that matters is known."""
    own = {STEPS[ticket.step].makes.format(part=ticket.part), f"{mark}.json"}
    if not is_alone or (ticket.step == "transform" and _known(services, ticket)):
        return seen | own
    return look(services, ticket) | own


_LIKE_A_DEATH = {"SoftTimeLimitExceeded", "PanicException"}
def migration_of(store: ObjectStore, run: Run, seen: Collection[str] | None = None) -> Migration:
    """The firm's choices as they were when the run was admitted, and as answered since.

    Args:
        seen: what lay in the run when nobody owed an answer, if somebody has looked: none is given since.
    """
    admitted = read_model(store, run.at("0-original", "admission.json"), Migration)
    home = run.home + "holds/"
    there = [stat.key for stat in store.listing(home)] if seen is None else [run.home + key for key in seen]
    keys = [key for key in there if key.startswith(home) and key.endswith(".released.json")]
    later = sorted(key for key in keys if not key.startswith(home + "admit-"))  # those came before the choices were fixed
    if not later:
        return admitted
    choices: dict[str, object] = admitted.model_dump(mode="json")
    answers = [read_json(store, key) for key in later]
    for answer in sorted(answers, key=lambda one: str(one.get("at", ""))):  # in the order they were given
        choices = merged(choices, answer.get("changes") or {})
    return choices_of(choices)


def choices_of(choices: dict[str, object]) -> Migration:
    """The firm's choices, checked.

    Raises:
        NeedsAnswer: naming each choice that is not valid, without its text.
    """
    try:
        return Migration.model_validate(choices)
    except ValidationError as error:
        raise NeedsAnswer(tuple(_invalid(error))) from None


def _invalid(error: ValidationError) -> Iterator[Question]:
    told: set[str] = set()
    for one in error.errors(include_url=False, include_input=False, include_context=False):
        steps = [str(step) for step in one["loc"] if step not in {"datetime", "date"}]
        where = ".".join(steps)
        if where in told:
            continue
        told.add(where)
        text = one["msg"].removeprefix("Value error, ")
        if one["type"] == "extra_forbidden":
            text = "there is no such choice"
        elif steps[:1] == ["cut_off"]:
            text = "write a day or a moment: 2024-05-31 or 2024-05-31T18:00"
        yield Question("CF-124", "the choices" + (f" › {where}" if where else ""), text, where or "migration.json")


def merged(choices: dict[str, object], changes: object) -> dict[str, object]:
    """Choices with changes laid over them, groups key by key."""
    result = dict(choices)
    for key, value in (changes if isinstance(changes, dict) else {}).items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def perform(services: Services, ticket: Ticket) -> bool:
    """Carry out one step. True if its object now lies in the bucket; False if the run is held, refused or failed."""
    seen = carry_out(services, ticket, look(services, ticket))
    return STEPS[ticket.step].makes.format(part=ticket.part) in seen


SendOn = Callable[[frozenset[str]], frozenset[str]]
"""Sends what can start, from what lies there; returns that, or what does now if it went on itself."""


def _stay(seen: frozenset[str]) -> frozenset[str]:
    """Nothing is sent on: whoever asked looks for what comes next."""
    return seen


def carry_load(services: Services, load: Sequence[Ticket], seen: frozenset[str], send_on: SendOn = _stay) -> frozenset[str]:
    """Carry out some parts of a run, one after the other. What lies in the run is looked at before the first, and behind the last.

    Args, returns, raises: as `carry_out`; `send_on` is called once.
    """
    fault: PassingFault | None = None
    knowing = replace(services, seen=seen)
    for ticket in load:
        if STEPS[ticket.step].makes.format(part=ticket.part) in seen:
            continue  # the message came again
        try:
            there = carry_out(knowing, ticket, seen, is_alone=False)
            if any(end in there for end in ENDED):
                break
        except PassingFault as error:  # the others may go better
            fault = error
    if fault is not None:
        raise fault
    there = present(services.store, run_of(load[-1]))
    try:
        after = send_on(there)
    except PassingFault:  # what comes behind is tried again, some time; so far it came
        with suppress(CaseferryError):
            _tell(services, load[-1], there)
        raise
    if after == there:  # whoever went on themselves have told what there is to tell
        _tell(services, load[-1], after)
    return after


def carry_out(
    services: Services, ticket: Ticket, seen: frozenset[str], send_on: SendOn = _stay, *, is_alone: bool = True
) -> frozenset[str]:  # fmt: skip
    """Carry out one step, at least once, with one effect.

    Args:
        seen: what lay in the run a moment ago, as `look` saw it.
        send_on: called with what lies there once the step is done, before the news of it is written: what comes next
            need not wait for that. Not called while somebody else is at work on the step, who will send on themselves.
        is_alone: False for one of several parts: what else came to lie there meanwhile is not looked at.

    Returns:
        What lies there afterwards.

    Raises:
        PassingFault: nothing was decided; try again later.
    """
    step, run, store = STEPS[ticket.step], run_of(ticket), services.store
    with structlog.contextvars.bound_contextvars(**{k: v for k, v in asdict(ticket).items() if v}):
        if step.makes.format(part=ticket.part) in seen:
            if not _goes_on_without(ticket, seen):
                seen = send_on(seen)
            _tell(services, ticket, seen)
            return seen
        if ticket not in next_steps((ticket.firm, ticket.migration, ticket.run), seen):
            return seen
        if read_model(store, run.at("arrival.json"), Arrival).format > FORMAT:
            raise PassingFault("this run was begun by a newer version; a newer worker goes on with it")
        before = open_attempt(ticket, seen)
        if before:
            if not is_dead(store, run, before):
                log.info("step_in_hand", attempt=before.rsplit(".", 1)[-1])
                return seen  # somebody is at work on it; if they die, the reconciler notices
            seen = look(services, ticket)
            if step.makes.format(part=ticket.part) in seen:
                return send_on(seen)  # it finished and went home
            if open_attempt(ticket, seen) == before:  # else it came to nothing, and said so meanwhile
                pronounce_lost(store, run, before, stamp(services.clock()))
                seen = look(services, ticket)
            if open_attempt(ticket, seen):
                return seen  # somebody was quicker
        work = services.settings.work
        if lost(ticket, seen) >= (work.attempts if step.aside else work.step_attempts):
            _give_up(services, ticket)
            after = send_on(look(services, ticket))
            services.tell(services, run)
            return after
        if ticket.step == "intake":
            services.tell(services, run, frozenset(seen))  # the log is begun before the work: from now on a log that is gone was taken away
        mark = begin(store, run, ticket, seen, stamp(services.clock()))
        if not mark:
            return seen
        is_done = False
        try:
            with alive(store, run, mark, services.settings.work.heartbeat.total_seconds()):
                _enter(step.room)(services if ticket.part else replace(services, seen=frozenset(seen)), ticket)
            done_with(run, mark)
            log.info("step_done", attempt=mark.rsplit(".", 1)[-1])
            is_done = True
        except PassingFault:
            ended(store, run, mark)
            raise
        except OSError as error:
            ended(store, run, mark)
            log.warning("step_interrupted", exc_info=error, code="CF-120")
            raise PassingFault("this machine is short of disk") from error
        except StorageRefused as refusal:
            log.error("storage_refused", code=refusal.code, reason=CODES[refusal.code].do)
            _end_by_name(store, run, ticket, mark, refusal)
        except NeedsAnswer as ask:
            _hold(services, run, ticket.step, ask, present(store, run) if ticket.part else seen)
            ended(store, run, mark)
        except ExportRefused as refusal:
            log.warning("export_refused", code=refusal.code)
            store.put_once(run.at("refused.json"), to_json(asdict(refusal)))
        except (SystemExit, KeyboardInterrupt):  # the worker is told to stop: that is not the step's fault
            ended(store, run, mark)
            raise
        except BaseException as error:  # a native library's panic is no Exception
            if isinstance(error, MemoryError) or type(error).__name__ in _LIKE_A_DEATH:
                # As if it had died of it: it may go better elsewhere, and it must not go on for ever.
                log.warning("step_interrupted", exc_info=error, code="CF-120")
                pronounce_lost(store, run, mark, stamp(services.clock()))
                raise PassingFault("the step needs more time or memory than it was given") from error
            log.error("step_failed", exc_info=error)
            _give_up(services, ticket, type(error).__name__)
        after = _done(services, ticket, seen, mark, is_alone=is_alone) if is_done else look(services, ticket)
        if step.makes.format(part=ticket.part) in after:
            after = send_on(after)  # what is told is what lies there now: an older view would take the run back
        _tell(services, ticket, after)
        return after


def _goes_on_without(ticket: Ticket, seen: Collection[str]) -> bool:
    """True of a message for what is done by now, where whoever did it has sent others, and each of those would do the same."""
    return STEPS[ticket.step].is_uneven and any(other.step == ticket.step for other in next_steps((ticket.firm, ticket.migration, ticket.run), seen))


def _end_by_name(store: ObjectStore, run: Run, ticket: Ticket, mark: str, refusal: StorageRefused) -> None:
    """The run ends and says why, if so much can still be written; else it waits until it can."""
    try:
        ended(store, run, mark)
        store.put_once(run.at("failed.json"), to_json({"code": refusal.code, "where": ticket.step, "detail": refusal.action}))
    except StorageRefused:
        raise PassingFault("the bucket takes nothing from us") from refusal


def _tell(services: Services, ticket: Ticket, seen: Collection[str]) -> None:
    """Say where the run is; of a run's parts only every twentieth is news, and the last, and one that ends the run."""
    if ticket.part and not any(end in seen for end in ENDED) and len(begun(ticket, seen)) <= 1 and not is_news(ticket, seen):
        return
    services.tell(services, run_of(ticket), None if ticket.part else frozenset(seen))  # of a part, not all was looked at


def _enter(room: str) -> Callable[[Services, Ticket], None]:
    """The function `module:name`; found by name, so that no room is imported before its turn."""
    module, name = room.split(":")
    found: Callable[[Services, Ticket], None] = getattr(importlib.import_module(module), name)
    return found


def _give_up(services: Services, ticket: Ticket, reason: str = "WorkerLost") -> None:
    """A part is quarantined and the run goes on; any other step ends the run."""
    run = run_of(ticket)
    if STEPS[ticket.step].aside:
        aside = run.at("aside", f"{ticket.part}.json")
        put_aside: Any = _enter(STEPS[ticket.step].aside)
        if put_aside(services, ticket, lambda: services.store.put_once(aside, to_json({"reason": reason, "at": stamp(services.clock())}))):
            log.error("part_quarantined", part=ticket.part, exc_type=reason)
        return
    code = "CF-132" if ticket.step in {"count", "verify"} or reason == "BrokenPromise" else "CF-129" if reason == "WorkerLost" else "CF-135"
    services.store.put_once(run.at("failed.json"), to_json({"code": code, "where": ticket.step, "detail": reason}))


def _hold(services: Services, run: Run, step: str, ask: NeedsAnswer, seen: Collection[str]) -> None:
    number = sum(1 for key in seen if key.startswith(f"holds/{step}-") and key.endswith(".released.json")) + 1
    questions = [asdict(question) for question in ask.questions]
    known = choices_tag(services.store, run)
    body = to_json({"step": step, "questions": questions, "at": stamp(services.clock()), "choices": known})
    services.store.put_once(run.at("holds", f"{step}-{number}.json"), body)
    log.info("run_held", held=step, count=len(questions))


def choices_tag(store: ObjectStore, run: Run) -> str:
    """The version of the firm's choices that lies beside the drop now."""
    found = store.stat(run.of.beside)
    return found.tag if found else ""


def release(services: Services, run: Run, by: str, changes: dict[str, object], *, cleared: bool = False) -> bool:
    """Answer what a held run asks. Who and when is kept; False if it asks nothing.

    Args:
        changes: choices to lay over the firm's own.
        cleared: `by` is a specialist who lets the run go on although the sender is not the account owner.
    """
    seen = present(services.store, run)
    open_holds = [
        key for key in sorted(seen)
        if key.startswith("holds/") and not key.endswith(".released.json")
        and key.removesuffix(".json") + ".released.json" not in seen
    ]  # fmt: skip
    for key in open_holds:
        body = to_json({"by": by, "at": stamp(services.clock()), "changes": changes, "cleared": cleared})
        services.store.put_once(run.home + key.removesuffix(".json") + ".released.json", body)
    services.tell(services, run)
    return bool(open_holds)
