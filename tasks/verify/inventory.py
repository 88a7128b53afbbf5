"""What no import carries: work a supervisor asks for, other systems to connect again, workflows and templates to make again,
and reports that are kept as they came.
"""

import re
from collections import Counter
from functools import cached_property
from typing import Any

import polars as pl

from caseferry.manifest import Kept
from caseferry.mapping.headings import normal, system_of
from caseferry.mapping.profile import Profile
from caseferry.reading.kinds import Kind
from tasks.verify.evidence import Batch, Evidence
from tasks.verify.seen import Seen

WORKFLOWS = (
    ("Intake automation", "forms, conflict checks and the steps that open a matter", "4 to 8 hours for each form"),
    ("Deadline tracking", "rules that make deadlines of court dates and limitation periods", "2 to 4 hours for each rule set"),
    ("Client communication sequences", "mails and messages that follow a stage or a date", "1 to 3 hours for each sequence"),
)
"""Workflows have no export format, and are never counted as carried. The hours are our estimate, to be replaced by the firm's."""
_TEMPLATES = (".dot", ".dotx", ".dotm", ".ott", ".oft", ".xltx")
_LISTED = 5_000


class Compliance:
    """Tasks and events with a word of what a supervisor asks for: each is listed, and signed for one by one."""

    name = "compliance"
    _KINDS = (("tasks", "name", "due_date"), ("calendar_events", "summary", "start_date"))

    def __init__(self, profile: Profile) -> None:
        words = "|".join(re.escape(word) for word in sorted(profile.compliance_words, key=len, reverse=True))
        self._pattern = rf"(?i)(?:^|[^\p{{L}}])(?:{words})(?:$|[^\p{{L}}])" if words else ""
        self._lines: list[dict[str, str]] = []
        self.count = 0

    def see(self, batch: Batch) -> None:
        where = {table.id: table.file for table in batch.tables}
        labels = _labels(batch)
        for kind, title, day in self._KINDS if self._pattern else ():
            for piece in batch.files(kind):
                if title not in piece.header:
                    continue
                text = piece.column(title)
                if "description" in piece.header:
                    text = text + " " + piece.column("description")
                if labels.height:
                    text = text + " " + piece.placed.select("table", "row").join(labels, on=["table", "row"], how="left", maintain_order="left")["label"].fill_null("")
                found = piece.placed.filter(text.str.contains(self._pattern))
                self.count += found.height
                names = {name: str(piece.header.index(name)) for name in (title, day, "matter", "recurrence") if name in piece.header}
                for row in found.head(_LISTED - len(self._lines)).iter_rows(named=True):
                    self._lines.append({
                        "type": kind, "what": row[names[title]], "day": row[names[day]] if day in names else "", "matter": row[names["matter"]] if "matter" in names else "",
                        "repeats": row[names["recurrence"]] if "recurrence" in names else "", "source": f"{where.get(row['table'], '')}, row {row['row']}",
                    })  # fmt: skip

    def seen(self) -> Seen:
        return Seen([self.count, self._lines])

    def add(self, seen: Seen) -> None:
        count, lines = seen.facts
        self.count += count
        self._lines += lines[: _LISTED - len(self._lines)]

    @property
    def found(self) -> list[dict[str, str]]:
        return self._lines


def _labels(batch: Batch) -> pl.DataFrame:
    """`table`, `row`, `label`: what the old system's own categories say of a row, carried or not."""
    some = [pl.DataFrame(schema={"table": pl.String, "row": pl.UInt32, "label": pl.String})]
    for table in batch.tables:
        places = [column.place for column in table.columns if normal(column.heading) in _CATEGORIES]
        if places and table.record in {"task", "calendar_event"}:
            cells = pl.concat_str([pl.col(f"c{place}").fill_null("") for place in places], separator=" ").alias("label")
            some.append(batch.raw(table).select(pl.lit(table.id).alias("table"), "row", cells))
    return pl.concat(some)


_CATEGORIES = frozenset({"categories", "category", "tags", "task category", "event type"})


class Inventory:
    """The lists, from what the drop holds and what the split told of it."""

    def __init__(self, evidence: Evidence, profile: Profile) -> None:
        self._evidence, self._profile = evidence, profile
        self._files = [kept for kept in evidence.intake.files if kept.kind != Kind.ARCHIVE]

    @cached_property
    def connections(self) -> list[dict[str, str]]:
        """Other systems whose ids the export holds: kept as custom fields, and to be connected again."""
        found = []
        for table in self._evidence.split.tables:
            for column in table.columns:
                system = system_of(column.heading, self._profile.connected)
                if system and table.record != "excluded":
                    found.append({"system": system, "file": table.file, "column": column.heading, "kept_as": column.use.replace("_", " ")})
        return found

    @cached_property
    def templates(self) -> list[dict[str, Any]]:
        """Document templates by format: they are listed, and never counted as carried."""
        marked = [kept for kept in self._files if kept.name.casefold().endswith(_TEMPLATES) or "template" in kept.name.casefold()]
        formats = Counter(_suffix(kept) for kept in marked)
        return [{"format": suffix, "count": count} for suffix, count in sorted(formats.items())]

    @cached_property
    def reports(self) -> list[dict[str, Any]]:
        """PDF reports: catalogued and kept, never read as data."""
        return [{"name": kept.name, "size": kept.size, "sha256": kept.sha256} for kept in self._files if kept.kind == Kind.PDF and not self._is_of_matter(kept)]

    @cached_property
    def records_of_truth(self) -> list[dict[str, Any]]:
        """Documents a supervisor may ask for: where their record stays, and their hash."""
        words = [word.casefold() for word in self._profile.compliance_words]
        pattern = re.compile(r"(?<![^\W\d_])(?:" + "|".join(map(re.escape, words)) + r")(?![^\W\d_])") if words else None
        return [
            {"name": kept.name, "size": kept.size, "sha256": kept.sha256} for kept in self._files
            if pattern is not None and kept.kind in {Kind.PDF, Kind.DOCUMENT} and pattern.search(kept.name.casefold().replace("_", " "))
        ]  # fmt: skip

    @staticmethod
    def _is_of_matter(kept: Kept) -> bool:
        return any(char.isdigit() for char in kept.name.rpartition("/")[0])

    def as_data(self, compliance: Compliance) -> dict[str, Any]:
        return {
            "compliance": {"count": compliance.count, "listed": compliance.found}, "connections": self.connections, "templates": self.templates,
            "reports": self.reports, "records_of_truth": self.records_of_truth,
            "workflows": [{"name": name, "what": what, "effort": effort} for name, what, effort in WORKFLOWS],
        }  # fmt: skip


def _suffix(kept: Kept) -> str:
    name = kept.name.rsplit("/", 1)[-1]
    return name.rsplit(".", 1)[-1].lower() if "." in name else ""


