"""What there is to say of the files, the lists and the columns of a drop, before anybody looks at a row."""

from collections.abc import Iterator, Sequence

from caseferry.errors import ExportRefused
from caseferry.manifest import Finding, Intake, Kept
from caseferry.mapping.headings import normal
from caseferry.mapping.profile import Profile
from caseferry.reading.grid import Grid
from caseferry.reading.kinds import Kind
from caseferry.tables import cells_of
from tasks.split.tables import Cut

NOTES = {
    "hidden_rows": "hidden rows were read too",
    "hidden_sheet": "a hidden sheet was read too",
    "error_cells": "cells hold a spreadsheet error instead of a value",
    "broken_quoting": "a quotation mark opens a cell and is never closed",
    "repaired_bytes": "stray bytes of another encoding in a UTF-8 file, read as Windows-1252",
    "encoding_assumed": "the encoding was told by its letters, nothing in the file proves it",
    "field_too_long": "cells are longer than limits.field_bytes allows",
    "macros": "its macros were not carried",
    "external_links": "its links to other workbooks were not followed",
    "birthdays_without_year": "days of birth without a year are no dates: they are carried as text",
    "pictures_listed": "cards hold pictures, sounds or keys: they are listed by size and hash, and stay in the file",
    "journals_not_read": "journals of a calendar are not read; the file is kept",
    "zones_of_its_own": "events in a time zone the file defines itself: placed by its rules, in a zone with the same clock or in universal time",
    "zones_unknown": "events in a time zone nobody knows: they keep their clock and its name",
    "series_not_split": "events that change the rest of a series, in a way that can't be told for certain: both are carried as they stand",
    "todos_that_repeat": "to-dos that repeat: each is carried once, its rule stays in the archive",
    "due_in_universal_time": "to-dos are due at a moment in universal time: check the day, it may be another where the firm is",
    "replaced_characters": "characters were lost before the file reached us",
    "records_beyond_count": "the file holds more records than its header counts; all were read",
    "deleted_records": "records marked as deleted are not read",
    "binary_columns_not_read": "columns that hold pictures or objects: they are not read",
    "column_types_not_read": "columns of a kind the converter does not know: their cells are empty, or a number of its own",
    "days_not_told": "days before 1900 or after 9999, which the converter can't tell: they are not carried",
    "memos_not_read": "memo fields whose file did not come along, or that hold a picture or an object: they are not read",
    "memos_lost": "memo fields name a place their file does not have, or it ends in the middle of their text",
    "records_cut_off": "the file ends before the records its header promises",
}
"""What a reader noted of a list, in words."""
_UNREAD = (Kind.DOCUMENT, Kind.JSON, Kind.DELIMITED)
_DATA = (".json", ".jsonl", ".ndjson", ".xml", ".sql", ".sqlite", ".sqlite3", ".db", ".parquet", ".bak", ".mdf", ".pst", ".ost", ".gz", ".7z", ".rar", ".tar")
"""Endings of files that may hold lists, and that nobody here reads."""


def file_findings(intake: Intake) -> Iterator[Finding]:
    """What is odd about whole files. Deep in folders lie documents, whatever their form."""
    for kept in intake.files:
        if kept.kind == Kind.EMPTY:
            yield Finding(rule="empty_file", where=kept.name)
        elif kept.kind == Kind.PROGRAM:
            yield Finding(rule="program", where=kept.name, detail="kept, never run, not carried", outcome="excluded")
        elif kept.kind == Kind.PDF and "/" not in kept.name.strip("/"):
            yield Finding(rule="pdf_report", where=kept.name, detail="kept, not read: export it again as CSV or Excel", outcome="excluded")
        elif kept.kind in _UNREAD and kept.name.lower().endswith(_DATA) and kept.name.count("/") < 2 and kept.name.rsplit("/", 1)[-1] != "migration.json":
            yield Finding(rule="data_not_read", where=kept.name, detail="kept, not read", outcome="excluded")
    for name, first in intake.duplicates:
        yield Finding(rule="duplicate_file", where=name, detail=f"the same bytes as {first}; read once", outcome="excluded")
    for refusal in intake.refused:
        yield Finding(rule="unreadable_file", where=refusal.name, detail=f"{refusal.code} {refusal.detail}".strip())


def unreadable(kept: Kept, refusal: ExportRefused) -> Finding:
    return Finding(rule="unreadable_file", where=kept.name, detail=f"{refusal.code} {refusal.detail}".strip())


def table_findings(cut: Cut, grid: Grid) -> Iterator[Finding]:
    table = cut.table
    where = " › ".join(filter(None, (table.file, table.sheet)))
    for note, count in sorted(grid.notes.items()):
        first = f"; the first in row {grid.places[note][0][0]}, column {grid.places[note][0][1]}" if grid.places.get(note) else ""
        told = f"; read as {grid.encoding}" if note == "encoding_assumed" else ""
        yield Finding(rule=note, where=where, count=count, detail=NOTES[note] + told + first)
    for column in table.columns:
        place = f"{where} › column {column.place + 1}"
        filled = cut.filled.get(column.place, 0)  # a list without rows has counted nothing
        if column.use == "archive_only" and not column.decided and table.record != "excluded":
            yield Finding(rule="unknown_column", where=f"{place}, {column.heading!r}", count=filled, detail="kept in the archive only")
        elif column.use == "ignored" and column.field:
            yield Finding(rule="field_of_another_region", where=f"{place}, {column.heading!r}", count=filled, detail="ignored: this region's accounts do not have it", outcome="excluded")
    names = [c.heading for c in table.columns if c.heading]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Finding(rule="duplicate_column", where=f"{where}, {name!r}", count=names.count(name))


def money_beside(made: Sequence[Cut], profile: Profile) -> Iterator[Finding]:
    """Amounts in columns that are left behind, where no list of its own has them."""
    there = {cut.table.record for cut in made}
    sought = {normal(heading) for record, headings in profile.money_beside.items() if record not in there for heading in headings}
    for cut in made if sought else ():
        for column in cut.table.columns:
            if column.use not in {"ignored", "archive_only"} or normal(column.heading) not in sought or not cut.parts:
                continue
            count = sum(int(cells_of(part, [f"c{column.place}"]).to_series().str.contains("[1-9]").sum()) for part in cut.parts)
            if count:
                where = " › ".join(filter(None, (cut.table.file, cut.table.sheet)))
                yield Finding(rule="money_not_carried", where=f"{where} › column {column.place + 1}, {column.heading!r}", count=count, detail="amounts stand here, and no list of their own was sent")
