"""Events that repeat, one for each time they happen: for targets that know no rules, if the firm wants them so."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl
from dateutil.rrule import rrulestr

from caseferry.reading.grid import ROW
from tasks.merge.desk import Desk

YEARS = 2
"""How long after the export an event that goes on is still written."""
MOST = 2_000
"""Times of one event at most."""
_RULE = re.compile(r"(?m)^(?:RRULE|RDATE|EXDATE|EXRULE)[;:]")
_UNTIL = re.compile(r"UNTIL=(\d{8}T\d{6})Z")


def happening(desk: Desk) -> pl.DataFrame:
    """The batch's events as they are to be written."""
    return desk.carried("calendar_event") if desk.occurrences is None else desk.occurrences


def each_time(desk: Desk) -> pl.DataFrame:
    """The events, those with a rule once for each time, with `time` counted from 0; a rule that can't be read stays as it is.

    The first time is the row's own; the others are counted as derived.
    """
    frame = desk.carried("calendar_event").with_columns(pl.lit(0, pl.UInt32).alias("time"))
    repeats = frame.filter(pl.col("recurrence").str.contains(r"(?m)^RRULE:"))
    if repeats.is_empty():
        return frame
    until = datetime.combine(desk.intake.received_on, time.max).replace(year=desk.intake.received_on.year + YEARS, day=1)
    times, ended = [], []
    for table, row, rule, day, clock, zone in repeats.select("table", ROW, "recurrence", "start_on", "start_time", "time_zone").iter_rows():
        start = datetime.combine(day, time.fromisoformat(clock) if clock else time.min)
        days = _days(rule, start, zone, until)
        if days is not None:
            ended.append((table, row))
            times += [(table, row, number, (one.date() - day).days) for number, one in enumerate(days)]
    found = pl.DataFrame(times, schema={"table": pl.String, ROW: frame.schema[ROW], "time": pl.UInt32, "later": pl.Int64}, orient="row")
    told = pl.DataFrame(ended, schema={"table": pl.String, ROW: frame.schema[ROW]}, orient="row").with_columns(pl.lit(True).alias("is_told"))
    marked = desk.records["calendar_event"].join(told, on=["table", ROW], how="left", maintain_order="left")["is_told"].fill_null(False)
    desk.change("calendar_event", pl.lit(marked), "recurrence", "recurrence_expanded", pl.col("recurrence"), pl.lit(None, pl.String))
    single = frame.join(told, on=["table", ROW], how="anti", maintain_order="left").with_columns(pl.lit(0, pl.Int64).alias("later"))
    several = frame.drop("time").join(found, on=["table", ROW], maintain_order="left").with_columns(pl.lit(None, pl.String).alias("recurrence"))
    moved = [(pl.col(name) + pl.duration(days=pl.col("later"))).alias(name) for name in ("start_on", "end_on")]
    every = pl.concat([single, several.select(single.columns)]).with_columns(moved).drop("later").sort("table", ROW, "time", maintain_order=True)
    if every.height > frame.height:
        desk.derived["calendar_event"] = desk.derived.get("calendar_event", 0) + every.height - frame.height
    return every


def _days(rule: str, start: datetime, zone: str | None, until: datetime) -> list[datetime] | None:
    """When it happens, by the clock of its own zone; nothing where the rule can't be read. Source: RFC 5545, 3.3.10."""
    lines = [line for line in rule.splitlines() if _RULE.match(line)]
    text = re.sub(r";TZID=[^:\n]+|;VALUE=DATE(?:-TIME)?", "", "\n".join(lines))
    text = _UNTIL.sub(lambda found: "UNTIL=" + _local(found.group(1), zone), text)
    text = re.sub(r"(\d{8}T\d{6})Z", r"\1", text)
    try:
        rules = rrulestr(text, dtstart=start, forceset=True)
        found = []
        for one in rules.xafter(start - timedelta(seconds=1), count=MOST):
            if one > until:
                break
            found.append(one)
    except (ValueError, TypeError, OverflowError, KeyError):
        return None
    return found or None


def _local(moment: str, zone: str | None) -> str:
    """A moment in universal time, by the clock of a zone."""
    if not zone:
        return moment
    try:
        there = datetime.strptime(moment + "+0000", "%Y%m%dT%H%M%S%z").astimezone(ZoneInfo(zone))
    except (ValueError, KeyError):
        return moment
    return there.strftime("%Y%m%dT%H%M%S")
