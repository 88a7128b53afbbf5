"""Matters that stand in the list of clients, below a client's name: brought together with the list of matters, or they wait."""

import polars as pl

from caseferry.mapping.names import key, number_key
from caseferry.reading.grid import ROW
from tasks.merge.contacts import AMONG_CLIENTS, NAME, resolve_names
from tasks.merge.desk import NOTED, Desk
from tasks.transform.sheet import JOB, JOB_OF, PLACE, REASON

_FACTS = (*NAME, "title", "middle_name", "job_title", "emails", "phone", "phone_home", "phone_work", "phone_mobile", "phone_fax", "street", "city", "state", "postal_code", "country", "notes", "birth_on", "client_since")
"""What a row may say that its client's card does not: then it waits, so that nothing of it is lost."""
_IN_BOTH = "matter_in_both_lists"


def bring_together(desk: Desk, names: pl.DataFrame) -> None:
    """Such a row is merged into the one matter of its client that has its number, unless it says more than the client's card."""
    frame = desk.records["contact"]
    if JOB not in frame.columns:
        return
    jobs = frame.filter(pl.col(JOB).is_not_null() & (pl.col(REASON) == AMONG_CLIENTS)).with_columns(number_key(pl.col(JOB)).alias("matter_key"))
    named = resolve_names(jobs[JOB_OF], names).select(pl.col("text").alias(JOB_OF), "contact", _whole("").alias("job_of#"))
    jobs = jobs.join(named, on=JOB_OF, how="left", maintain_order="left").join(_matters(desk), on="matter_key", how="left", maintain_order="left")
    same = (pl.col("job_of#") == pl.col("client#")) | (key(pl.col(JOB_OF)) == key(pl.col("client")))
    jobs = jobs.with_columns((pl.col("several").not_() & same).fill_null(False).alias("is_same"), _says_more(jobs, frame).alias("says_more"))
    merged = jobs.filter("is_same", ~pl.col("says_more")).select("table", ROW)
    told = jobs.join(merged.with_columns(pl.lit(True).alias("merged")), on=["table", ROW], how="left", maintain_order="left")
    desk.findings.append(told.select(
        "table", ROW, pl.lit("display_name").alias("field"), pl.lit("").alias("heading"), _by("merged", yes=_IN_BOTH, no=AMONG_CLIENTS).alias("rule"),
        _by("merged", yes="merged", no="quarantined").alias("outcome"), pl.col("display_name").alias("value"),
        pl.when(pl.col("is_same") & pl.col("says_more")).then(pl.lit("it has values that the client's card does not have: write them there, or on a card of their own")).otherwise(pl.lit("")).alias("proposal"),
    ).cast(NOTED))  # type: ignore[arg-type]  # fmt: skip
    is_one = frame.select("table", ROW).join(merged.with_columns(pl.lit(True).alias("m")), on=["table", ROW], how="left", maintain_order="left")["m"].fill_null(False)
    desk.records["contact"] = frame.with_columns(
        pl.when(is_one).then(pl.lit("merged")).otherwise(PLACE).alias(PLACE), pl.when(is_one).then(pl.lit(_IN_BOTH)).otherwise(REASON).alias(REASON)
    )


def _matters(desk: Desk) -> pl.DataFrame:
    """`matter_key`, its client, and whether several matters have that number."""
    if not desk.has("matter"):
        return pl.DataFrame(schema={"matter_key": pl.String, "client": pl.String, "client#": pl.String, "several": pl.Boolean})
    there = desk.records["matter"].filter((pl.col(PLACE) == "carried") | pl.col(REASON).eq_missing("open_matter_stays"))
    several = (pl.len().over("matter_key") > 1).alias("several")
    return there.select("matter_key", "client", _whole("client_").alias("client#"), several).drop_nulls("matter_key").unique("matter_key", keep="first", maintain_order=True)


def _says_more(jobs: pl.DataFrame, contacts: pl.DataFrame) -> pl.Series:
    """Whether a row holds a value, other than its own name, that is not its client's too."""
    facts = [name for name in contacts.columns if name in _FACTS or name.startswith("x:")]
    flat = [(pl.col(name).list.join("\x1f") if contacts.schema[name].base_type() is pl.List else pl.col(name).cast(pl.String)).fill_null("").alias(name) for name in facts]
    cards = contacts.select(pl.concat_str("table", pl.lit(":"), ROW).alias("contact"), *flat)
    both = jobs.select("contact", pl.col("display_name").alias("own#"), *flat).join(cards, on="contact", how="left", suffix="#", maintain_order="left")
    return both.select(pl.any_horizontal((pl.col(name) != "") & (pl.col(name) != pl.col("own#")).fill_null(True) & (pl.col(name) != pl.col(f"{name}#").fill_null("")) for name in facts).alias("more")).to_series()


def _whole(prefix: str) -> pl.Expr:
    """A name that was told, as one text; nothing where it was not."""
    parts = [pl.col(f"{prefix}{part}") for part in NAME]
    return pl.when(pl.any_horizontal(part.is_not_null() for part in parts)).then(pl.concat_str([part.fill_null("") for part in parts], separator="\x1f"))


def _by(flag: str, yes: str, no: str) -> pl.Expr:
    return pl.when(pl.col(flag).fill_null(False)).then(pl.lit(yes)).otherwise(pl.lit(no))
