"""Read a part, call one pure function, write what it made."""

import io
from collections.abc import Callable, Collection
from weakref import WeakKeyDictionary

import polars as pl
import structlog

from caseferry.canonical import to_json
from caseferry.choices import Migration
from caseferry.keys import Run
from caseferry.manifest import Intake, PartOutcome, Split
from caseferry.noted import Noted
from caseferry.reading.grid import ROW
from caseferry.services.store import ObjectStore
from caseferry.tables import cells_by_number, cells_of, read_tables, table_of, write_tables
from tasks import parts as cut
from tasks.journey import Ticket
from tasks.once import read_model, write_once
from tasks.stage import Services, migration_of, run_of
from tasks.transform.rows import Result, transform_table
from tasks.transform.sheet import CHANGES, FINDINGS, PLACE, REASON, Job

log = structlog.get_logger()


def transform(services: Services, ticket: Ticket) -> None:
    """Make `2-transform/<part>.json`; records, findings and changes lie beside it, in one object, before it does."""
    job = _job(services, ticket)
    numbers, cells = cells_by_number(_part(services, ticket))
    result = transform_table(numbers, job, cells)
    _write(services, ticket, result, result.outcome(ticket.part, job))


def poison(services: Services, ticket: Ticket, put_aside: Callable[[], object]) -> bool:
    """Put a part aside that keeps ending its process: its rows are quarantined, the run goes on.

    Args:
        put_aside: notes that it is; called before anything says so.

    Returns:
        False if all it makes lies there already, but for the last word: then that is written, and nothing is put aside.
    """
    job = _job(services, ticket)
    store, key = services.store, _key(ticket)
    if store.stat(key) is not None:
        made = read_tables(store.get(key))
        result = Result(table_of(made, "records"), Noted.of(made, "findings"), Noted.of(made, "changes"))
        store.put_once(run_of(ticket).at("2-transform", f"{ticket.part}.json"), to_json(result.outcome(ticket.part, job)))
        return False
    put_aside()
    raw = cells_of(_part(services, ticket))
    rows = raw.select(
        pl.lit(job.table.id).alias("table"), ROW, pl.lit("quarantined").alias(PLACE), pl.lit("part_quarantined").alias(REASON)
    )
    result = Result(_with_columns(rows, raw, job), Noted.none(FINDINGS), Noted.none(CHANGES))
    store.put_once(key, _bytes(result))
    outcome = result.outcome(ticket.part, job).model_copy(update={"status": "poison"})
    store.put_once(run_of(ticket).at("2-transform", f"{ticket.part}.json"), to_json(outcome))
    return True


def _with_columns(rows: pl.DataFrame, raw: pl.DataFrame, job: Job) -> pl.DataFrame:
    """With every column the merge may ask for, as the rules make them of no rows. Where not even that goes well, the
    rows as they are: they must be put aside whatever is wrong with the rules.
    """
    try:
        return pl.concat([transform_table(raw.clear(), job).records, rows], how="diagonal_relaxed")
    except Exception as error:
        log.warning("columns_of_a_part_unknown", exc_info=error)
        return rows


def _part(services: Services, ticket: Ticket) -> bytes:
    return cut.cells(services.store, run_of(ticket), [ticket.part])[0]


def _key(ticket: Ticket) -> str:
    return run_of(ticket).at("2-transform", f"{ticket.part}.zip")


def _bytes(result: Result) -> bytes:
    buffer = io.BytesIO()
    write_tables(result.tables(), buffer, result.texts)
    return buffer.getvalue()


def _job(services: Services, ticket: Ticket) -> Job:
    store, run = services.store, run_of(ticket)
    split = read_model(store, run.at("1-split", "tables.json"), Split)
    intake = read_model(store, run.at("0-original", "manifest.json"), Intake)
    migration = _choices(store, run, services.seen)
    return Job(split.part(ticket.part), migration.profile_of(split.source), migration, intake.received_on)


_LAST: WeakKeyDictionary[ObjectStore, tuple[Run, Migration]] = WeakKeyDictionary()


def _choices(store: ObjectStore, run: Run, seen: Collection[str] | None) -> Migration:
    """The firm's choices, read once for parts of one run that follow each other: nobody is asked anything while there are
    parts to do, so nobody answers."""
    last = _LAST.get(store)
    if last is None or last[0] != run:
        last = _LAST[store] = run, migration_of(store, run, seen)
    return last[1]


def _write(services: Services, ticket: Ticket, result: Result, outcome: PartOutcome) -> None:
    store, run = services.store, run_of(ticket)
    store.put_once(_key(ticket), _bytes(result))
    write_once(store, run.at("2-transform", f"{ticket.part}.json"), to_json(outcome))
