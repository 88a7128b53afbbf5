"""Every deadline that is still ahead, old beside new: a day that got lost on the way is the dearest thing to lose."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property

import polars as pl

from caseferry.manifest import Table
from caseferry.mapping.target import Target
from tasks.verify.evidence import Batch, Evidence, Handed
from tasks.verify.seen import Seen

_KINDS = (("tasks", "task", "due_on", "due_date", "", ""), ("calendar_events", "calendar_event", "start_on", "start_date", "start_time", "start_time"))
"""By file: the record, the field of its day and the file's column of it, and the same of its time."""
_FIELDS = "matter_custom_fields"
"""Limitation periods and hearings stand in the matter list too, as days that become custom fields."""
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap])?\.?(?:m\b)?", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Deadlines:
    """Tasks, events and days of matters that lie after the day of the export or repeat beyond it, each with its zone; and those
    whose day was written and is not in the file, or that wait. What differs has to be explained by a person."""

    name = "deadlines"

    def __init__(self, evidence: Evidence, target: Target) -> None:
        self._style = evidence.migration.options.date_format or target.date_formats[evidence.migration.region]
        self._since = date.fromisoformat(evidence.merged.as_at)
        self._told: list[tuple[int, str, int, dict[str, str]]] = []

    def see(self, batch: Batch) -> None:
        for place, (kind, record, field, day, old_time, time) in enumerate(_KINDS):
            for piece in batch.files(kind):
                if day in piece.header:
                    self._look(batch, piece, place, field, day, old_time, time)
            for table in batch.of(record):
                self._waits(batch, table, place, kind, field)
        for piece in batch.files(_FIELDS):
            if {"field", "type", "value", "matter"} <= set(piece.header):
                self._look_at_fields(batch, piece)
        for table in batch.of("matter"):
            self._lost_of_fields(batch, table)

    def seen(self) -> Seen:
        return Seen(self._told)

    def add(self, seen: Seen) -> None:
        self._told += [(place, file, line, told) for place, file, line, told in seen.facts]

    def _look(self, batch: Batch, piece: Handed, place: int, field: str, day: str, old_time: str, time: str) -> None:
        lines = _named(piece)
        ahead = pl.col(day).str.to_date(self._style, strict=False) >= self._since
        if "recurrence" in piece.header:
            ahead = ahead | (pl.col("recurrence") != "")
        for table in batch.tables:
            column = next((c.place for c in table.columns if c.field == field), None)
            if column is None or not lines["table#"].eq(table.id).any():
                continue
            clock = next((c.place for c in table.columns if old_time and c.field == old_time), None)
            raw = batch.raw(table).select(
                pl.col("row").alias("row#"), pl.col(f"c{column}").alias("old#"), (pl.col(f"c{clock}") if clock is not None else pl.lit(None, pl.String)).alias("clock#"),
            )  # fmt: skip
            mine = lines.filter(pl.col("table#") == table.id).join(raw, on="row#", how="left", maintain_order="left")
            # An event that was written out once for each time has its own day in the first of its lines alone.
            mine = mine.with_columns((pl.col("row#").cum_count().over("row#") > 1).alias("again#"))
            mine = mine.filter(ahead | ((pl.col(day) == "") & pl.col("old#").is_not_null()))
            for line in mine.iter_rows(named=True):
                old, new = " ".join(filter(None, (line["old#"], line["clock#"]))), " ".join(filter(None, (line[day], line.get(time, ""))))
                is_whole = not time or bool(line.get("all_day"))
                self._told.append((place, piece.name, line["line#"], _line(
                    piece.kind, line.get("name") or line.get("summary") or "", line.get("matter", ""), old, new,
                    line.get("time_zone", "") or ("all day" if is_whole else "unknown"), table, line["row#"], self._difference(old, line[day], "" if is_whole else line.get(time, ""), line["again#"]),
                )))  # fmt: skip

    def _look_at_fields(self, batch: Batch, piece: Handed) -> None:
        lines = _named(piece).filter(pl.col("type") == "date").filter(pl.col("value").str.to_date(self._style, strict=False) >= self._since)
        for table in batch.of("matter") if lines.height else ():
            for column in table.columns:
                if column.use != "custom_field":
                    continue
                raw = batch.raw(table).select(pl.col("row").alias("row#"), pl.col(f"c{column.place}").alias("old#"))
                mine = lines.filter((pl.col("table#") == table.id) & (pl.col("field") == column.field))
                for line in mine.join(raw, on="row#", how="left", maintain_order="left").iter_rows(named=True):
                    old = line["old#"] or ""
                    self._told.append((len(_KINDS), piece.name, line["line#"], _line(
                        "matters", line["field"], line["matter"], old, line["value"], "all day", table, line["row#"], self._difference(old, line["value"], ""),
                    )))  # fmt: skip

    def _lost_of_fields(self, batch: Batch, table: Table) -> None:
        """Days of matters nobody could read: there is no line for them anywhere."""
        lost = batch.findings[table.id].where((pl.col("rule") == "date_unreadable") & pl.col("field").str.starts_with("x:"))
        number = next((c.place for c in table.columns if c.field == "number"), None)
        if number is None or lost.is_empty():
            return
        matters = batch.raw(table).select("row", pl.col(f"c{number}").fill_null("").alias("matter"))
        for row in lost.join(matters, on="row", maintain_order="left").iter_rows(named=True):
            self._told.append((len(_KINDS), "", row["row"], _line(
                "matters", row["field"].removeprefix("x:"), row["matter"], row["value"] or "", "", "all day", table, row["row"], "the file has no day",
            )))  # fmt: skip

    def _waits(self, batch: Batch, table: Table, place: int, kind: str, field: str) -> None:
        """Rows that wait for a person, with a day: they are in no file."""
        column = next((c.place for c in table.columns if c.field == field), None)
        waits = batch.placed(table).filter(pl.col("place") == "quarantined")
        if column is None or waits.is_empty():
            return
        titles = {c.field: c.place for c in table.columns if c.field in {"name", "subject", "matter"}}
        rows = batch.raw(table).join(waits.select("row"), on="row", maintain_order="left").filter(pl.col(f"c{column}").is_not_null())
        for row in rows.iter_rows(named=True):
            what, matter = (next((row[f"c{titles[name]}"] for name in names if name in titles), "") or "" for names in (("name", "subject"), ("matter",)))
            self._told.append((place, "", row["row"], _line(kind, what, matter, row[f"c{column}"], "", "", table, row["row"], "it waits, and is in no file")))

    def _difference(self, old: str, day: str, clock: str, is_again: bool = False) -> str:
        """What is not the same in the file, as far as figures tell; nothing for most.

        Args:
            is_again: it is another time of the same event, on a day of its own.
        """
        if not day:
            return "the file has no day"
        try:
            new = datetime.strptime(day, self._style).date()
        except ValueError:
            return "the file's day can't be read"
        if not is_again and not _says(old, new):
            return "another day"
        told, now = _CLOCK.search(old), _CLOCK.search(clock)
        if told and now and old.rstrip()[-1:] != "Z" and _minutes(told) != _minutes(now):
            return "another time of day"
        return ""

    @cached_property
    def found(self) -> list[dict[str, str]]:
        """What differs stands first."""
        return [line for *_, line in sorted(self._told, key=lambda one: (not one[3]["difference"], *one[:3]))]

    @cached_property
    def differ(self) -> int:
        """How many of them a person has to explain."""
        return sum(1 for line in self.found if line["difference"])


def _named(piece: Handed) -> pl.DataFrame:
    """A piece's lines by the columns of its header, each with the `table#`, `row#` and `line#` it has."""
    names = dict(zip(piece.lines.columns, piece.header, strict=False))
    return piece.placed.rename({"table": "table#", "row": "row#"}).rename(names).with_row_index("line#", offset=piece.first)


def _line(kind: str, what: str, matter: str, old: str, new: str, zone: str, table: Table, row: int, difference: str) -> dict[str, str]:
    return {"type": kind, "what": what, "matter": matter, "old": old, "new": new, "zone": zone, "source": f"{table.file}, row {row}", "difference": difference}


def _says(text: str, day: date) -> bool:
    """True where a cell's figures are those of a day, in whatever order; also where it counts days, as workbooks do."""
    figures = list(_figures(text))
    if len(figures) == 1 and figures[0] > 20_000:
        return day in {start + timedelta(days=figures[0]) for start in (date(1899, 12, 30), date(1904, 1, 1))}
    month = day.month in figures or _MONTHS[day.month - 1] in text.casefold() or not text.isascii()
    return day.day in figures and month and (day.year in figures or day.year % 100 in figures)


def _figures(text: str) -> Iterator[int]:
    for figure in _NUMBER.findall(text):
        if len(figure) == 8:  # 20240630
            yield from (int(figure[:4]), int(figure[4:6]), int(figure[6:]))
        else:
            yield int(figure)


def _minutes(clock: re.Match[str]) -> int:
    hour, half = int(clock[1]), (clock[3] or "").lower()
    return (hour % 12 + 12 * (half == "p") if half else hour) * 60 + int(clock[2])
