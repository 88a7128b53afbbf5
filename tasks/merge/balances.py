"""Time, receivables and trust: unbilled work line by line, balances as one line each, to the cent."""

from dataclasses import replace
from datetime import timedelta

import polars as pl

from caseferry.errors import NeedsAnswer, Question
from caseferry.manifest import Finding
from caseferry.mapping.money import MONEY, plain, plain_hours
from caseferry.reading.grid import ROW
from caseferry.services.scratch import Scratch
from caseferry.tally import Tally
from tasks.merge.batches import Outcomes
from tasks.merge.contacts import resolve_names, shown_name
from tasks.merge.desk import Desk, ensure
from tasks.merge.left_out import leave_out_balances
from tasks.merge.matters import clients_of_matters
from tasks.merge.papers import link_matters
from tasks.merge.users import resolve

OPENING = "opening balance as at {day}"


def time_entries(desk: Desk) -> None:
    """The activities file. Work is never put on somebody else: an entry without an active user waits."""
    if not desk.has("time_entry"):
        return
    _who_worked(desk)
    if desk.twice.height:
        told = desk.records["time_entry"].select("table", ROW).join(desk.twice, on=["table", ROW], how="left", maintain_order="left")["rule"]
        desk.find("time_entry", pl.lit(told == "same_in_two_lists"), "row", "same_in_two_lists", "quarantined")
        desk.find("time_entry", pl.lit(told == "possible_duplicate"), "row", "possible_duplicate", "carried", pl.lit("same entry"),
                  "check whether the same work is in two exports")  # fmt: skip
    entries = ("table", ROW, "place", "matter_number", "performed_on", "category", "description", "price", "quantity", "type", "user", "matter_user", "non_billable")
    frame = desk.records["time_entry"].select(entries).filter(pl.col("place") == "carried")
    user = pl.when(pl.col("type").is_not_null()).then(pl.coalesce("user", "matter_user")).otherwise("user")
    desk.files["activities"] = frame.select(
        "table", ROW, pl.col("matter_number").alias("matter"), desk.date_text("performed_on").alias("date"),
        pl.col("category").alias("activity_description"), pl.col("description").alias("note"),
        plain("price").alias("price"), plain_hours("quantity").alias("quantity"), "type", user.alias("activity_user"),
        "non_billable",
    )  # fmt: skip


def _who_worked(desk: Desk) -> None:
    resolve(desk, "time_entry", "staff", fallback=False)
    lost = pl.col("user").is_null() & pl.col("type").is_null()
    desk.find("time_entry", lost, "staff", "user_not_found", "quarantined", pl.col("staff"), "add this person to `users`, with a licence")


_WORK = ("matter_key", "performed_on", "staff", "quantity", "price", "description")
_PLACED = ("table", ROW, "place", "reason", "matter", "type")


def work_told_twice(desk: Desk, outcomes: Outcomes, numbers: pl.DataFrame, scratch: Scratch) -> pl.DataFrame:
    """Entries that stand in the export more than once, wherever the parts were cut: `table`, `row`, `rule`.

    What is told by two lists waits, all but the first list's; what one list holds twice is carried and proposed. Entries
    whose hashes are the same are compared in full; those of a part that has none are not read again.
    """
    tally, kept = Tally(scratch), []
    for frame in outcomes.columns("time_entry", (*_WORK, "place")):
        hashes = _hashes(frame)
        tally.add(hashes)
        kept.append(scratch.file())
        hashes.to_frame().write_ipc(kept[-1])
    several = tally.several()["key"]
    found = pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "rule": pl.String})
    if several.is_empty():
        return found
    suspects = []
    for part, path in zip(outcomes.of("time_entry"), kept, strict=True):
        if pl.read_ipc(path)["h"].is_in(several.implode()).any():
            frame = outcomes.some(part, {*_WORK, *_PLACED})
            live = frame.filter(pl.col("place") == "carried")
            suspects.append(live.filter(_hashes(live).is_in(several.implode())))
    aside = replace(desk, records={"time_entry": pl.concat(suspects, how="diagonal_relaxed")}, files={}, findings=[], changes=[])
    link_matters(aside, numbers)
    _who_worked(aside)
    _in_two_lists(aside, "time_entry", _WORK, later_only=True)
    frame = aside.records["time_entry"]
    waits = frame.filter(pl.col("reason") == "same_in_two_lists").select("table", ROW, pl.lit("same_in_two_lists").alias("rule"))
    same = aside.carried("time_entry").filter(pl.len().over(_WORK) > 1).select("table", ROW, pl.lit("possible_duplicate").alias("rule"))
    return pl.concat([waits, same])


def _hashes(frame: pl.DataFrame) -> pl.Series:
    """One number for each entry that is carried, the same wherever the same work stands."""
    live = frame.filter(pl.col("place") == "carried")
    missing = [pl.lit(None, pl.String).alias(name) for name in _WORK if name not in live.columns]
    return live.with_columns(missing).select(_WORK).hash_rows().alias("h")


def receivables(desk: Desk, names: pl.DataFrame) -> None:
    """One line per matter: a one-hour unbilled entry that costs what is owed."""
    if not desk.has("receivable"):
        return
    _whose(desk, "receivable", names)
    leave_out_balances(desk, "receivable")
    desk.find("receivable", pl.col("of_another"), "client", "owed_by_another", "carried", pl.col("client"))
    _in_two_lists(desk, "receivable", ("matter_key", "invoice"))
    frame = desk.carried("receivable")
    sums = frame.group_by("matter_number", maintain_order=True).agg(
        pl.col("outstanding").sum().cast(MONEY), pl.col("table").first(), pl.col(ROW).first(),
        pl.col("matter_user").first(), pl.col("matter_user_email").first(),
    )  # fmt: skip
    zero = sums.filter(pl.col("outstanding") == 0)["matter_number"]
    desk.find("receivable", pl.col("matter_number").is_in(zero.implode()), "outstanding", "zero_balance", "excluded")
    lines = sums.filter(pl.col("outstanding") != 0)
    _rest_is_merged(desk, "receivable", lines)
    note = OPENING.format(day=desk.as_at.isoformat())
    desk.files["balances_forward"] = lines.select(
        "table", ROW, pl.col("matter_number").alias("matter"), pl.lit(desk.as_at).alias("day"),
        pl.lit(desk.target.placeholders["balance"]).alias("activity_description"), pl.lit(note).alias("note"),
        plain("outstanding").alias("price"), pl.lit("1").alias("quantity"), pl.col("matter_user").alias("user"),
    ).with_columns(desk.date_text("day").alias("date"))  # fmt: skip
    if lines.height:
        total = lines["outstanding"].sum()
        desk.todo.append(
            f"After the review, generate bills for {lines.height} matters with an opening balance, "
            f"{total:,.2f} {desk.migration.currency} in all; not before the review is finished."
        )


def ask_mid_month(desk: Desk) -> None:
    """Open invoices are moved at a month's end; another day is told, and asked about where the old system goes on billing.

    Raises:
        NeedsAnswer: they are of another day, and nobody has.
    """
    lines = desk.files.get("balances_forward")
    is_end = (desk.as_at + timedelta(days=1)).day == 1
    if lines is None or lines.is_empty() or is_end:
        return
    total = lines["price"].cast(MONEY).sum()
    found = f"{lines.height} matters with open invoices, {total:,.2f} {desk.migration.currency} in all, as at {desk.as_at.isoformat()}, which is no month's end"
    desk.notes.append(Finding(rule="open_invoices_mid_month", where="balances", count=lines.height, detail=found))
    if desk.profile.bills_on and not desk.migration.options.mid_month_confirmed:
        raise NeedsAnswer((Question("CF-149", "open invoices", found, "options.mid_month_confirmed"),))


def trust(desk: Desk, names: pl.DataFrame) -> None:
    """One line per matter, or per contact where no matter is named; what belongs to nobody waits."""
    if not desk.has("trust"):
        return
    where = desk.trust_stays
    if where:
        desk.find("trust", pl.lit(True), "balance", "trust_stays", "excluded")
        desk.todo.append(f"Trust money stays in {where}: its ledger is kept and reconciled there. No file holds a line of it.")
        return
    _whose(desk, "trust", names)
    leave_out_balances(desk, "trust")
    _in_two_lists(desk, "trust", ("matter_key", "client", "account"))
    number, owner = pl.col("matter_number"), pl.col("owner")
    # A matter that is named and not there is not the same as none named: the money is somebody's of that matter.
    lost = pl.col("matter").is_not_null() & number.is_null()
    desk.find("trust", lost, "matter", "matter_not_in_export", "quarantined", pl.col("matter"))
    desk.find("trust", pl.col("of_another_card"), "client", "money_of_another_client", "quarantined", pl.col("client"))
    desk.find("trust", pl.col("of_another") & ~pl.col("of_another_card"), "client", "owed_by_another", "carried", pl.col("client"))
    desk.find("trust", number.is_null() & owner.is_null(), "client", "owner_not_in_export", "quarantined", pl.col("client"))
    shared = number.is_null() & pl.col("owner_shared").fill_null(False)
    desk.find("trust", shared & pl.col("owner_contact").is_null(), "client", "contact_ambiguous", "quarantined", pl.col("client"))
    desk.find("trust", shared & pl.col("owner_contact").is_not_null(), "client", "contact_name_shared", "carried", pl.col("client"))
    desk.records["trust"] = desk.records["trust"].with_columns(pl.when(number.is_null()).then(name).alias(name) for name in ("owner", "owner_contact"))
    whose = ("matter_number", "owner", "owner_contact")
    sums = desk.carried("trust").group_by(whose, maintain_order=True).agg(pl.col("balance").sum().cast(MONEY), pl.col("table").first(), pl.col(ROW).first())
    zero = sums.filter(pl.col("balance") == 0).select(*whose, pl.lit(True).alias("is_zero"))
    desk.records["trust"] = desk.records["trust"].join(zero, on=whose, how="left", nulls_equal=True, maintain_order="left")
    desk.find("trust", pl.col("is_zero").fill_null(False), "balance", "zero_balance", "excluded")
    lines = sums.filter(pl.col("balance") != 0)
    _rest_is_merged(desk, "trust", lines)
    desk.files["trust_balances"] = lines.select(
        "table", ROW, number.alias("matter"), owner.alias("contact"), pl.lit(desk.as_at).alias("day"), plain("balance").alias("amount"),
        pl.lit(desk.migration.currency).alias("currency"), pl.lit(OPENING.format(day=desk.as_at.isoformat())).alias("note"), "owner_contact",
    ).with_columns(desk.date_text("day").alias("date"))  # fmt: skip
    if lines.height:
        desk.todo.append("Create a trust account in the target before the trust balances are entered; it is a ledger, not a link to the bank.")


def _whose(desk: Desk, record: str, names: pl.DataFrame) -> None:
    """Which contact each balance names: `owner`, as the target shows it, `owner_contact`, where it is certain, `owner_shared`;
    `of_another`: it hangs on a matter of somebody else; and `of_another_card`: of somebody who has a card as well.
    """
    frame = ensure(desk.records[record], {"client": pl.String})
    found = resolve_names(frame["client"], names).filter(pl.col("how").is_not_null())
    found = found.select("text", shown_name().alias("owner"), pl.col("contact").alias("owner_contact"), pl.col("shared").alias("owner_shared"))
    frame = frame.join(found, left_on="client", right_on="text", how="left", maintain_order="left")
    clients = clients_of_matters(desk)
    theirs = clients.select(pl.col("number").alias("matter_number"), pl.col("shown").alias("owner"), pl.lit(True).alias("is_theirs")).unique()
    cards = clients.group_by(pl.col("number").alias("matter_number")).agg(pl.col("is_card").all().alias("is_card"))
    frame = frame.join(theirs, on=["matter_number", "owner"], how="left", maintain_order="left").join(cards, on="matter_number", how="left", maintain_order="left")
    other = pl.col("is_card").is_not_null() & pl.col("owner").is_not_null() & pl.col("is_theirs").is_null()
    desk.records[record] = frame.with_columns(other.alias("of_another"), (other & pl.col("is_card")).alias("of_another_card")).drop("is_theirs", "is_card")


def _in_two_lists(desk: Desk, record: str, keys: tuple[str, ...], *, later_only: bool = False) -> None:
    """The same thing in two lists is one thing told twice, on two days or in two forms: which counts, a person must say."""
    if desk.records[record]["table"].n_unique() < 2:
        return
    frame = desk.records[record].with_columns(pl.lit(None, pl.String).alias(k) for k in keys if k not in desk.records[record].columns)
    live = pl.when(pl.col("place") == "carried").then("table")
    told = live.n_unique().over(keys) - live.is_null().any().over(keys).cast(pl.UInt32) > 1
    if later_only:
        told = told & (pl.col("table") != live.drop_nulls().first().over(keys))
    twice = frame.select(told.alias("t"))["t"]
    desk.find(record, pl.lit(twice), "row", "same_in_two_lists", "quarantined")


def _rest_is_merged(desk: Desk, record: str, lines: pl.DataFrame) -> None:
    """The first row of each balance stands for its line; the others went into it."""
    stands = lines.select("table", ROW, pl.lit(True).alias("stands"))
    desk.records[record] = desk.records[record].join(stands, on=["table", ROW], how="left", maintain_order="left")
    desk.place(record, pl.col("stands").is_null(), "merged", "summed_into_one_line")
