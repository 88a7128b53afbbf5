"""Events that repeat, one for each time they happen: for targets that know no rules, if the firm wants them so.

A rule that can't be read for certain, or goes on too often, stays a rule, and is told.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from dateutil.rrule import rrulestr

from caseferry.reading.grid import ROW
from tasks.merge.desk import Desk

YEARS = 2
"""How long after the export an event that goes on is still written."""
MOST = 1_500
"""Times of one event at most; what happens oftener stays a rule."""
_OLDEST = timedelta(days=40 * 366)
_LINE = re.compile(r"(RRULE|RDATE|EXDATE)((?:;[^:\n]*)?):(.*)")
_OFTEN = re.compile(r"FREQ=(?:SECONDLY|MINUTELY|HOURLY)")
_NEVER = re.compile(r"(?:INTERVAL|COUNT)=0*(?:;|$)")


def happening(desk: Desk) -> pl.DataFrame:
    """The batch's events as they are to be written."""
    return desk.carried("calendar_event") if desk.occurrences is None else desk.occurrences


def each_time(desk: Desk) -> pl.DataFrame:
    """The events, those with a rule once for each time, with `time` counted from 0.

    The first time is the row's own; the others are counted as derived.
    """
    frame = desk.carried("calendar_event").with_columns(pl.lit(0, pl.UInt32).alias("time"))
    repeats = frame.filter(pl.col("recurrence").is_not_null())
    if repeats.is_empty():
        return frame
    received = desk.intake.received_on
    until = datetime.combine(received.replace(year=received.year + YEARS, day=1), time.max)
    columns = ("table", ROW, "recurrence", "start_on", "start_time", "end_on", "end_time", "time_zone")
    times: list[tuple[object, ...]] = []
    told: list[tuple[str, int]] = []
    kept: list[tuple[str, int]] = []
    for table, row, rule, day, clock, end_day, end_clock, zone in repeats.select(columns).iter_rows():
        start = datetime.combine(day, time.fromisoformat(clock) if clock else time.min)
        moments = moments_of(rule, start, zone or desk.migration.time_zone, until)
        (kept if moments is None else told).append((table, row))
        end = datetime.combine(end_day, time.fromisoformat(end_clock) if end_clock else start.time()) if end_day else None
        for number, one in enumerate(moments or ()):
            last = one + (end - start) if end else None
            times.append((table, row, number, one.date(), one.time().isoformat() if clock else None, last.date() if last else None, last.time().isoformat() if last and end_clock else end_clock))
    _tell(desk, told, kept)
    schema: dict[str, Any] = {"table": pl.String, ROW: frame.schema[ROW], "time": pl.UInt32, "start_on": pl.Date, "start_time": pl.String, "end_on": pl.Date, "end_time": pl.String}
    found = pl.DataFrame(times, schema=schema, orient="row")
    single = frame.join(found.select("table", ROW).unique(), on=["table", ROW], how="anti", maintain_order="left")
    plain = frame.drop("time", "start_on", "start_time", "end_on", "end_time")
    several = plain.join(found, on=["table", ROW], maintain_order="left").with_columns(pl.lit(None, pl.String).alias("recurrence"))
    every = pl.concat([single, several.select(single.columns)]).sort("table", ROW, "time", maintain_order=True)
    if every.height > frame.height:
        desk.derived["calendar_event"] = desk.derived.get("calendar_event", 0) + every.height - frame.height
    return every


def _tell(desk: Desk, told: list[tuple[str, int]], kept: list[tuple[str, int]]) -> None:
    frame = desk.records["calendar_event"]

    def among(some: list[tuple[str, int]]) -> pl.Expr:
        rows = pl.DataFrame(some, schema={"table": pl.String, ROW: frame.schema[ROW]}, orient="row").with_columns(pl.lit(True).alias("is_one"))
        return pl.lit(frame.join(rows, on=["table", ROW], how="left", maintain_order="left")["is_one"].fill_null(False))

    desk.change("calendar_event", among(told), "recurrence", "recurrence_expanded", pl.col("recurrence"), pl.lit(None, pl.String))
    desk.find("calendar_event", among(kept), "recurrence", "recurrence_not_expanded", "carried", pl.col("recurrence"), "enter it by hand, or import it as a calendar file")


def moments_of(rule: str, start: datetime, zone: str | None, until: datetime) -> list[datetime] | None:
    """When an event happens, by the clock of its own zone; nothing where that can't be told for certain. Source: RFC 5545, 3.8.5."""
    if until - start > _OLDEST:
        return None
    rules, more, less, no_days = [], [], set[datetime](), set[date]()
    for line in rule.splitlines():
        found = _LINE.fullmatch(line.strip())
        if not found:
            return None
        name, parameters, value = found.groups()
        if name == "RRULE":
            rules.append(value.strip().rstrip(";").upper())
            continue
        try:
            listed = [_moment(one.strip(), zone) for one in value.split(",") if one.strip()]
        except (ValueError, OverflowError, KeyError):
            return None
        if name == "RDATE":
            if "PERIOD" in parameters.upper():
                return None
            more += [datetime.combine(one, start.time()) if not isinstance(one, datetime) else one for one in listed]
        else:
            less |= {one for one in listed if isinstance(one, datetime)}
            no_days |= {one for one in listed if not isinstance(one, datetime)}
    if len(rules) != 1 or _OFTEN.search(rules[0]) or _NEVER.search(rules[0]):
        return None
    try:
        moments = _by_rule(rules[0], start, zone, until)
    except (ValueError, TypeError, OverflowError, KeyError, IndexError, AttributeError):
        return None
    if moments is None:
        return None
    every = sorted({start, *moments, *(one for one in more if one <= until)} - less)
    every = [one for one in every if one.date() not in no_days]
    return every if 0 < len(every) <= MOST else None


def _by_rule(rule: str, start: datetime, zone: str | None, until: datetime) -> list[datetime] | None:
    """The times of one rule up to a moment; nothing where they are too many."""
    parts = dict(part.split("=", 1) for part in rule.split(";"))
    if "UNTIL" in parts:
        last = _moment(parts["UNTIL"], zone)
        until = min(until, last if isinstance(last, datetime) else datetime.combine(last, time.max))
    parts["UNTIL"] = until.strftime("%Y%m%dT%H%M%S")
    found = []
    for one in rrulestr("RRULE:" + ";".join(f"{name}={value}" for name, value in parts.items()), dtstart=start):
        found.append(one)
        if len(found) > MOST:
            return None
    return found


def _moment(text: str, zone: str | None) -> datetime | date:
    """A day, or a moment by the clock of a zone."""
    if re.fullmatch(r"\d{8}", text):
        return datetime.strptime(text, "%Y%m%d").date()
    moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")
    if not text.endswith("Z"):
        return moment
    if not zone:
        raise ValueError("universal time without a zone to tell it in")
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
