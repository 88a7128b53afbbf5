"""What everything else hangs on: contacts and matters, linked first. Another process is handed it by the bucket."""

import io
from dataclasses import dataclass

import polars as pl

from caseferry.keys import Run
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.services.store import ObjectStore
from caseferry.tables import read_tables, table_of, write_tables
from tasks.merge import balances, papers
from tasks.merge.batches import Outcomes
from tasks.merge.contacts import contact_lines, names_of, prepare_contacts
from tasks.merge.custom_fields import custom_fields
from tasks.merge.desk import Desk
from tasks.merge.documents import documents
from tasks.merge.jobs import bring_together
from tasks.merge.matters import link_clients, matter_lines, matter_numbers, parties_of_matters, prepare_matters
from tasks.merge.targets.keys import told_again
from tasks.merge.users import ask_before

_TABLES = ("names", "numbers", "twice", "again")


@dataclass(frozen=True)
class Known:
    """The names of the contacts, the numbers of the matters; and what is told twice."""

    names: pl.DataFrame
    numbers: pl.DataFrame
    twice: pl.DataFrame
    """Work that stands in the export more than once, as `work_told_twice` says."""
    again: pl.DataFrame
    """Messages that do, as `told_again` says."""

    def put(self, store: ObjectStore, run: Run) -> None:
        """Make `3-merge/known.zip`."""
        buffer = io.BytesIO()
        write_tables({name: getattr(self, name) for name in _TABLES}, buffer)
        store.put_once(_key(run), buffer.getvalue())

    @classmethod
    def of(cls, store: ObjectStore, run: Run) -> "Known":
        """What `put` made."""
        found = read_tables(store.get(_key(run)))
        return cls(*(table_of(found, name) for name in _TABLES))


def _key(run: Run) -> str:
    return run.at("3-merge", "known.zip")


def put_together(desk: Desk, outcomes: Outcomes, scratch: Scratch) -> tuple[Known, tuple[dict[str, str], ...]]:
    """The first batch: contacts and matters, and whatever of the others is in it; the plan of custom fields."""
    prepare_contacts(desk)
    if desk.has("matter"):
        prepare_matters(desk)
    ask_before(desk, outcomes)
    numbers = matter_numbers(desk)
    known = Known(names_of(desk), numbers, balances.work_told_twice(desk, outcomes, numbers, scratch), told_again(outcomes, "email", scratch))
    desk.twice = known.twice
    made = []
    parties = pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "matter": pl.String})
    if desk.has("matter"):
        made.append(link_clients(desk, known.names))
    bring_together(desk, known.names)
    if desk.has("matter"):
        parties, more = parties_of_matters(desk, known.names)
        made.append(more)
    contact_lines(desk, _distinct(made))
    if desk.has("matter"):
        matter_lines(desk)
    hang(desk, known)
    papers.relations(desk, known.names, parties)
    balances.receivables(desk, known.names)
    balances.ask_mid_month(desk)
    balances.trust(desk, known.names)
    documents(desk, numbers)
    return known, custom_fields(desk)


def hang(desk: Desk, known: Known) -> None:
    """What hangs on matters and contacts, and on nothing else."""
    papers.link_matters(desk, known.numbers)
    papers.notes(desk, known.names)
    papers.tasks(desk)
    papers.events(desk)
    papers.emails(desk, known.again)
    papers.calls(desk)
    balances.time_entries(desk)


def _distinct(made: list[pl.DataFrame]) -> pl.DataFrame:
    parts = ["first_name", "last_name", "company"]
    schema = {part: pl.String for part in parts}
    every = pl.concat([pl.DataFrame(schema=schema), *(table.select(parts) for table in made)])
    return every.unique(maintain_order=True).sort(parts, nulls_last=True)
