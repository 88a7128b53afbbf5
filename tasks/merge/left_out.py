"""What an earlier run moved is left out of this one's files, when all that is new has been linked to it."""

from dataclasses import dataclass

import polars as pl

from caseferry.reading.grid import ROW
from tasks.merge.contacts import NAME
from tasks.merge.desk import Desk
from tasks.merge.moved import IDENTIFIED, LEFT, MADE, RULES

_BALANCES = ("receivable", "trust")
_MAIN = (("contact", "contacts"), ("related_contact", "related_contacts"), ("document", "documents"), ("calendar_event", "calendar_events"))
"""Records that may have lines no row of their own stands for, and the file of those."""


@dataclass(frozen=True)
class Gone:
    """What of a batch was moved before: `table`, `row`; and the names of contacts no card stands for."""

    rows: pl.DataFrame
    made: pl.DataFrame

    def of(self, frame: pl.DataFrame) -> pl.Series:
        """True for each line of a file that was moved before."""
        of_row = frame.select("table", pl.col(ROW).cast(pl.UInt32)).join(self.rows.select("table", ROW, pl.lit(True).alias("gone")), on=["table", ROW], how="left", maintain_order="left")["gone"]
        found = of_row.fill_null(False)
        if self.made.height and all(part in frame.columns for part in NAME):
            of_name = frame.select(NAME).join(self.made.select(*NAME, pl.lit(True).alias("gone")), on=NAME, how="left", nulls_equal=True, maintain_order="left")["gone"]
            found = found | ((frame["table"] == "") & of_name.fill_null(False))
        return found


def leave_out(desk: Desk) -> Gone:
    """Leave out what an earlier run moved, and every line that stands for it; keep beside what new lines may name.

    It comes when all of a batch is linked. Balances are left out before they are added up: `leave_out_balances`.
    """
    none = Gone(pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32}), pl.DataFrame(schema=dict.fromkeys(NAME, pl.String)))
    if not desk.moved:
        return none
    found = []
    for record in sorted(set(desk.records) & set(IDENTIFIED) - {*_BALANCES}):
        found.append(desk.moved.among(record, desk.carried(record)))
        _note(desk, record, found[-1])
    rows = pl.concat([pl.DataFrame(schema=LEFT), *found]).select("table", ROW)
    made = none.made
    if "contacts" in desk.files:
        own = desk.files["contacts"].filter(pl.col("table") == "").with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
        made = own.join(desk.moved.among(MADE, own), on=["table", ROW], how="semi").select(NAME)
    gone = Gone(rows, made)
    counted = {name: lines.height for name, lines in desk.files.items()}
    there = {name: desk.files[name].filter(gone.of(desk.files[name])) for name in ("contacts", "matters") if name in desk.files}
    for name, lines in desk.files.items():
        desk.files[name] = lines.filter(~gone.of(lines))
    _count_derived(desk, counted, rows)
    desk.files |= {f"{name}_there": lines for name, lines in there.items() if lines.height}
    return gone


def _count_derived(desk: Desk, before: dict[str, int], rows: pl.DataFrame) -> None:
    """Lines that no row of their own stood for, less those that went: a record's lines are its rows and these."""
    tables = {table.id: table.record for table in desk.split.tables}
    went = {record: count for record, count in rows.select(pl.col("table").replace_strict(tables, default="document")).to_series().value_counts().rows()}
    for record, name in _MAIN:
        if name in desk.files:
            lines = before[name] - desk.files[name].height - went.get(record, 0)
            if lines:
                desk.derived[record] = desk.derived.get(record, 0) - lines


def leave_out_balances(desk: Desk, record: str) -> None:
    """Balances of matters whose balance was moved before: it stands in the target, and moves there."""
    if desk.moved:
        _note(desk, record, desk.moved.among(record, desk.carried(record)))


def _note(desk: Desk, record: str, rows: pl.DataFrame) -> None:
    told = desk.records[record].select("table", pl.col(ROW).cast(pl.UInt32)).join(rows, on=["table", ROW], how="left", maintain_order="left")["rule"]
    for rule in RULES:
        desk.find(record, pl.lit(told == rule), "row", rule, "excluded")
