"""One part's columns become records, findings and changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import polars as pl

from caseferry.coded import Coded
from caseferry.manifest import PartOutcome
from caseferry.mapping.names import BY_ID, number_key
from caseferry.noted import Noted
from caseferry.reading.grid import ROW
from caseferry.tables import Texts, with_texts
from tasks.transform import activities, contacts, matters, papers
from tasks.transform.fields import read_fields
from tasks.transform.parted import take_apart
from tasks.transform.sheet import JOB, PLACE, REASON, Job, Sheet

FINISH: dict[str, Callable[[Sheet], None]] = {
    "contact": contacts.finish_contacts,
    "matter": matters.finish_matters,
    "related_contact": papers.finish_relations,
    "task": papers.finish_tasks,
    "note": papers.finish_notes,
    "calendar_event": papers.finish_events,
    "email": papers.finish_emails,
    "phone_log": papers.finish_calls,
    "time_entry": activities.finish_time,
    "receivable": activities.finish_receivables,
    "trust": activities.finish_trust,
    "excluded": activities.finish_excluded,
}
"""What each record needs beyond its single fields."""


@dataclass(frozen=True)
class Result:
    """What became of a part.

    Args:
        laid: its records, with anything in the place of the columns that are known by number.
        texts: those.
    """

    laid: pl.DataFrame
    findings: Noted
    changes: Noted
    texts: Texts = field(default_factory=dict)

    @cached_property
    def records(self) -> pl.DataFrame:
        """In full."""
        return with_texts(self.laid, self.texts)

    def tables(self) -> dict[str, pl.DataFrame]:
        """As they lie in the bucket."""
        return {"records": self.laid, **self.findings.tables("findings"), **self.changes.tables("changes")}

    def outcome(self, part: str, job: Job) -> PartOutcome:
        text = self.texts.get(PLACE)
        counts = (text.numbers if text else self.laid[PLACE]).value_counts().iter_rows()
        places = dict(sorted((str(text.words[place] if text else place), int(count)) for place, count in counts))
        return PartOutcome(
            part=part, table=job.table.id, record=job.spec.record, rows=self.laid.height, places=places,
            findings=self.findings.height, changes=self.changes.height,
        )  # fmt: skip


def transform_table(given: pl.DataFrame, job: Job, cells: Texts | None = None) -> Result:
    """Turn one part's rows into records. As many rows come out as went in, each with its place and reason.

    Args:
        given: the part as it was cut, with anything in the place of the columns that are known by number.
        cells: those.
    """
    sheet = Sheet(job, given, cells or {})
    read_fields(sheet)
    take_apart(sheet)
    if sheet.has("matter"):
        _name_matter(sheet)
    _wider_than_header(sheet)
    _one_cell(sheet)
    if job.table.too_long:
        sheet.find(pl.col(ROW).is_in(job.table.too_long), "row", "field_too_long", "quarantined")
    exclusion = job.spec.exclusion
    takes = exclusion == "unbilled_expenses" and job.migration.options.expenses
    if exclusion and not takes:
        sheet.find(pl.lit(True), "row", exclusion, "excluded")
    FINISH[job.spec.record](sheet)
    _after_cut_off(sheet)
    names = sheet.columns
    workings = [name for name in names if name[-1] in "~?@" and f"{name[:-1]}~" in names and name[:-1] in names]  # how a value was read: told in the changes
    sheet.drop(*workings)
    sheet.put_by_number({"table": Coded(pl.repeat(0, sheet.height, dtype=pl.UInt32, eager=True), pl.Series([job.table.id]))})
    first = ["table", ROW, PLACE, REASON]
    columns = [*first, *(name for name in sheet.columns if name not in first)]
    laid = pl.DataFrame([sheet.texts[name].numbers.alias(name) if name in sheet.texts else sheet.laid[name] for name in columns])
    return Result(laid, sheet.all_findings(), sheet.all_changes(), sheet.texts)


def _name_matter(sheet: Sheet) -> None:
    """What names a matter in the old system may name no matter at all: keep the text, join by its normal form."""
    named = number_key(pl.col("matter"))
    named = (pl.lit(BY_ID) + named if sheet.job.table.matter_by == "id" else named).alias("matter_key")
    texts = sheet.texts.get("matter")
    if texts:
        sheet.put_by_number({"matter_key": Coded(texts.numbers, texts.words.to_frame("matter").select(named).to_series())})
    else:
        sheet.put(named)


def _wider_than_header(sheet: Sheet) -> None:
    """A few rows with cells behind the last heading: a stray comma has shifted them, and no cell is where it belongs."""
    table = sheet.job.table
    last = max((c.place for c in table.columns if not c.heading.startswith("(column ")), default=0)
    behind = [f"c{c.place}" for c in table.columns if c.place > last]
    if table.sheet or not behind:
        return
    wide = sheet.given.select(pl.any_horizontal(pl.col(name).is_not_null() for name in behind).alias("w"))["w"]
    if wide.sum() < 0.2 * wide.len() or wide.sum() == 1:
        sheet.find(pl.lit(wide), "row", "row_wider_than_header", "quarantined")


_LONE = r"\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}|:\s|:$|[.…]\s*$|^\W+|\W{3,}$|\S+(?:\s+\S+){5,}"
"""A day, a label, a sentence: no name, and no number of a matter."""


def _one_cell(sheet: Sheet) -> None:
    """A row with one filled cell, in a list of many columns, that reads like a line above or below a report."""
    table = sheet.job.table
    named = [f"c{c.place}" for c in table.columns]
    if table.record not in {"contact", "matter"} or len(named) < 4:
        return
    filled = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.UInt16) for name in named)
    alone = sheet.raw.select(((filled == 1) & pl.coalesce(named).str.strip_chars().str.contains(_LONE).fill_null(False)).alias("a"))["a"]
    if sheet.has(JOB):
        alone &= sheet.column(JOB).is_null()
    if alone.any():
        sheet.find(pl.lit(alone), "row", "row_of_one_cell", "quarantined")


def _after_cut_off(sheet: Sheet) -> None:
    """Rows entered after the firm stopped using the old system: they are listed, for somebody to move by hand."""
    cut_off = sheet.job.migration.cut_off
    if cut_off is None:
        return
    limit = cut_off.isoformat()[:10]
    stamp = cut_off.isoformat(sep=" ")[:19] if isinstance(cut_off, datetime) else limit
    for name in ("created_at", "modified_at"):
        if sheet.has(name):
            moment = pl.col(name).cast(pl.String) + pl.coalesce(pl.lit(" ") + pl.col(f"{name}@"), pl.lit(""))
            late = pl.when(moment.str.len_chars() == 10).then(moment > limit).otherwise(moment > stamp)
            sheet.find(late & (pl.col(PLACE) != "excluded"), name, "after_cut_off", "carried", moment)
    if sheet.has("performed_on"):
        late = (pl.col("performed_on") > pl.lit(limit).str.to_date()) & (pl.col(PLACE) != "excluded")
        sheet.find(late, "performed_on", "after_cut_off", "carried", pl.col("performed_on"))
