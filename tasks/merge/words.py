"""Value maps: words of the old system and what each becomes, with how many records have it; those no map names are told."""

from typing import Any

import polars as pl

from tasks.merge.desk import Desk

MOST = 500
"""Words of one map that are listed."""


def put_in_words_of(desk: Desk, record: str, column: str, words: dict[str, str]) -> None:
    """Replace words by the firm's own for them; every change is logged, and words the map does not name stay as they are."""
    if not words or column not in desk.records[record].columns:
        return
    known = {word.strip().lower(): theirs for word, theirs in words.items()}
    before = pl.col(column)
    meant = before.str.strip_chars().str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.String)
    desk.change(record, meant.is_not_null() & (meant != before), column, "value_map", before, meant)
    desk.find(record, before.is_not_null() & meant.is_null(), column, "not_in_value_map", "carried", before, "add it to options.value_maps")
    desk.records[record] = desk.records[record].with_columns(pl.coalesce(meant, before).alias(column))


def value_maps(desk: Desk) -> tuple[dict[str, Any], ...]:
    """Status, type, country and users, as the contacts and matters have them: word, what it becomes, count, and whether a map names it."""
    made: list[dict[str, Any]] = []
    if desk.has("matter"):
        matters = desk.carried("matter")
        raw = "status_before" if "status_before" in matters.columns else "stage"
        listed = {word.lower() for words in desk.profile.statuses.values() for word in words} | {word.lower() for word in desk.migration.options.status_map}
        made += _lines("status", matters.select(pl.col(raw).alias("word"), pl.col("status").alias("becomes")), listed)
        types = {word.lower() for word in desk.migration.options.value_maps.get("type", {}).values()}
        made += _lines("type", matters.select(pl.col("matter_type").alias("word"), pl.col("matter_type").alias("becomes")), types or None)
        made += _lines("users", matters.select(pl.col("responsible").alias("word"), pl.col("user").alias("becomes"), pl.col("fell_back") if "fell_back" in matters.columns else pl.lit(False).alias("fell_back")), None)
    if desk.has("contact"):
        countries = {word.lower() for word in desk.migration.options.value_maps.get("country", {}).values()}
        contacts = desk.carried("contact")
        made += _lines("country", contacts.select(pl.col("country").alias("word"), pl.col("country").alias("becomes")), countries or None)
    return tuple(made)


def _lines(name: str, words: pl.DataFrame, known: set[str] | None) -> list[dict[str, Any]]:
    """The words of one map, the most frequent first.

    Args:
        known: words, in small letters, that the map names; nothing where there is no map, and each stands for itself.
    """
    counted = words.drop_nulls("word").group_by(pl.all()).len("count").sort("count", "word", descending=[True, False])
    lines = []
    for row in counted.head(MOST).iter_rows(named=True):
        is_known = not row["fell_back"] if "fell_back" in row else known is None or row["word"].strip().lower() in known
        lines.append({"map": name, "word": row["word"], "becomes": row["becomes"] or "", "count": row["count"], "mapped": is_known})
    return lines
