"""The matter list: one status out of stage, archive flag and closing date; descriptions joined; odd numbers told."""

import polars as pl

from tasks.transform.fields import is_placeholder, join_pieces
from tasks.transform.sheet import Sheet

_DAMAGED = r"(?i)^\d{4}-\d\d-\d\d(?: 00:00)?$|^\d{1,2}-(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)$|^\d(?:\.\d+)?E\+\d+$"


def finish_matters(sheet: Sheet) -> None:
    for name in ("number", "status", "archived", "client", "responsible"):
        if not sheet.has(name):
            sheet.put(pl.lit(None, pl.String).alias(name))
    for name in ("opened_on", "closed_on"):
        if not sheet.has(name):
            sheet.put(pl.lit(None, pl.Date).alias(name))
    number = pl.col("number")
    sheet.find(number.is_null(), "number", "no_number", "quarantined")
    sheet.find(is_placeholder(sheet, number), "number", "number_pending", "quarantined", number)
    # A spreadsheet reads 24-05 as a day in May. What it was before, nobody can tell.
    sheet.find(number.str.contains(_DAMAGED), "number", "number_is_a_date", "quarantined", number)
    for field in ("client", "responsible"):
        blank = is_placeholder(sheet, pl.col(field))
        sheet.find(blank, field, "placeholder", "emptied", pl.col(field))
        sheet.put(pl.when(~blank).then(field).alias(field))
    join_pieces(sheet, "description")
    _status(sheet)


def _status(sheet: Sheet) -> None:
    """Open or Closed. The old system's status is a stage of work: every mapping of one is listed."""
    profile, own = sheet.job.profile, sheet.job.migration.options.status_map
    known: dict[str, str] = {word.casefold(): state for state, words in profile.statuses.items() for word in words}
    known |= {word.casefold(): state for word, state in own.items()}
    if sheet.has("stage"):  # a list that has both keeps both
        sheet.put(pl.col("status").alias("said"), pl.col("status").alias("status_before"))
    else:
        sheet.put(pl.col("status").alias("said"), pl.col("status").alias("stage"))
    stage = pl.col("said").str.strip_chars().str.to_lowercase()
    said = stage.replace_strict(known, default=None, return_dtype=pl.String)
    archived = pl.col("archived").str.strip_chars().str.to_lowercase()
    yes = [word.casefold() for word in profile.true_words] + ["archived", "closed"]
    nothing = [*(word.casefold() for word in profile.false_words), *profile.placeholders]
    # An archive number or date says yes as well; any other word is nothing we know.
    is_archived = archived.is_in(yes) | (archived.str.contains(r"\d") & ~archived.is_in(nothing))
    unknown = archived.is_not_null() & ~is_archived & ~archived.is_in(nothing)
    sheet.find(unknown, "archived", "archive_word_unknown", "carried", pl.col("archived"))
    closed_word = pl.col("closed_on~").str.strip_chars().str.to_lowercase().is_in(yes) if sheet.has("closed_on~") else pl.lit(False)
    evidence = is_archived.fill_null(False) | closed_word.fill_null(False) | pl.col("closed_on").is_not_null()
    result = pl.when(evidence).then(pl.lit("Closed")).otherwise(pl.coalesce(said, pl.lit("Open")))
    rule = (
        pl.when(evidence & (said != "Closed").fill_null(True)).then(pl.lit("closed_by_date_or_archive"))
        .when(said.is_null()).then(pl.lit("stage_without_closing")).otherwise(pl.lit("status_map"))
    )  # fmt: skip
    sheet.put(result.alias("status"))
    stage_text = pl.col("said")
    sheet.change(stage_text.fill_null("") != pl.col("status"), "status", rule, stage_text, pl.col("status"))
    unmapped = said.is_null() & stage_text.is_not_null()
    sheet.find(unmapped, "status", "status_not_in_map", "carried", stage_text, "add it to options.status_map")
    sheet.find(evidence & (said == "Open"), "status", "open_but_closed", "carried", stage_text)
    sheet.drop("said")
