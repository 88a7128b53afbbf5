"""The records of a batch as mapped targets take them: typed, each with a key of its own and the keys of its parents.

A key is the old system's id, or follows what the record says (`keys.py`), so a later export of the same firm gives the
same. A parent that a name leaves open is no parent: nothing is linked by a guess.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from caseferry.mapping.money import MONEY
from caseferry.reading.grid import ROW
from caseferry.reading.zones import known
from caseferry.records import RECORDS
from caseferry.records.neutral import DTYPES, NEUTRAL
from tasks.merge.contacts import NAME, PRIMARY_PHONE, contact_id, shown_name
from tasks.merge.desk import Desk, ensure
from tasks.merge.repeated import happening
from tasks.merge.targets.keys import IDENTITY, hashed, keys_of, numbered, occurrence, said, told_apart

_MADE_FROM_NAME = "name:"
_LONGEST_TITLE = 200
"""Characters of a title that is made of number, client and description; targets take 255 of them or so."""
_YES = ("yes", "y", "true", "1", "opted in", "opt in", "opt-in", "opted-in", "subscribed", "granted")
_NO = ("no", "n", "false", "0", "opted out", "opt out", "opt-out", "opted-out", "unsubscribed", "withdrawn", "refused", "do not contact")

_NOT_OUT = ("no", "n", "false", "0", "-", "none", "not opted out", "unchecked")
"""What says in a column of those who opted out that somebody did not."""


@dataclass(frozen=True)
class Links:
    """Which contact a name means, and which client a matter has. Made of the first batch; later ones hang on it."""

    contacts: pl.DataFrame
    """`table`, `row`, `contact_id` (as cards are told apart), `contact_key`, the name parts, `shown`, `kind`, `email`."""
    matters: pl.DataFrame
    """`table`, `row`, `matter` (the number as the files write it), `matter_key`, `client`, `client_key`, `client_kind`,
    `client_email`, `opened_on`. Two may have one number; then their keys differ."""

    again: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """By record, which of its equals each row is that has some: see `tasks.merge.targets.keys.equals`."""

    def keyed(self, desk: Desk, record: str, frame: pl.DataFrame | None = None) -> pl.DataFrame:
        """The batch's records of a kind, or what was made of each, with their `key`."""
        carried = desk.carried(record)
        keys = keys_of(record, carried, self.again[record])
        return (carried if frame is None else frame).join(keys, on=["table", ROW], how="left", maintain_order="left")

    @cached_property
    def by_number(self) -> pl.DataFrame:
        """The matters whose number is theirs alone."""
        return _alone(self.matters, ["matter"]).drop("table", ROW, "opened_on")

    def meant(self, frame: pl.DataFrame, contact: str, *names: str) -> pl.DataFrame:
        """The contact a row means: the card that is certain, else the only one of its name.

        Args:
            contact: the column of the card's id, which goes.
            names: the columns of the name, as the cards have them.

        Returns:
            The rows with `contact_key`, `contact_kind`, `contact_email`.
        """
        found = frame.join(self._by_id, left_on=contact, right_on="contact_id", how="left", maintain_order="left")
        found = found.join(self._by_shown if names == ("shown",) else self._by_name, on=names, how="left", nulls_equal=True, maintain_order="left")
        certain = pl.col("key_of_id").is_not_null()
        chosen = [pl.when(certain).then(f"{name}_of_id").otherwise(f"{name}_of_name").alias(f"contact_{name}") for name in _OF]
        return found.with_columns(chosen).drop(contact, *(f"{name}_of_{by}" for name in _OF for by in ("id", "name")))

    @cached_property
    def _by_id(self) -> pl.DataFrame:
        return self.contacts.select("contact_id", *(pl.col(column).alias(f"{name}_of_id") for name, column in _OF.items()))

    @cached_property
    def _by_name(self) -> pl.DataFrame:
        return self._only(NAME)

    @cached_property
    def _by_shown(self) -> pl.DataFrame:
        return self._only(("shown",))

    def _only(self, names: Sequence[str]) -> pl.DataFrame:
        """The contacts whose name is theirs alone."""
        return _alone(self.contacts, list(names)).select(*names, *(pl.col(column).alias(f"{name}_of_name") for name, column in _OF.items()))


_OF = {"key": "contact_key", "kind": "kind", "email": "email"}
"""What is told of a contact that is meant, and its column among the contacts."""


def _alone(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    return frame.filter(pl.len().over(by) == 1)


def links_of(desk: Desk, again: Mapping[str, pl.DataFrame]) -> Links:
    """Keys of the contacts, and the client of each matter.

    Args:
        again: which of its equals a row of the later batches is.
    """
    lines = desk.files["contacts"].join(_keys_of_cards(desk), on=["table", ROW], how="left", maintain_order="left")
    spelt = lines.select(pl.concat_str([pl.col(part).fill_null("") for part in NAME], separator="|").alias("n"))["n"]
    # Names that differ in capitals alone are told apart: keys of other systems often do not know capitals.
    is_made = lines["table"] == ""
    from_name = told_apart((_MADE_FROM_NAME + spelt.str.to_lowercase()).set(~is_made, None), spelt)
    is_person = pl.any_horizontal(pl.col(part).is_not_null() for part in NAME[:2])
    contacts = lines.select(
        "table", ROW, contact_id(), pl.coalesce(pl.lit(from_name), "card_key").alias("contact_key"), *NAME, shown_name().alias("shown"),
        pl.when(is_person).then(pl.lit("person")).otherwise(pl.lit("company")).alias("kind"), pl.col("email_address").alias("email"),
    )  # fmt: skip
    matters = desk.files.get("matters")
    if matters is None:
        return Links(contacts, pl.DataFrame(schema=_MATTERS), again)
    tells = matters.select("table", ROW).join(_tells(desk.carried("matter"), IDENTITY["matter"]), on=["table", ROW], how="left", maintain_order="left")["tells"]
    key = pl.lit(told_apart(matters["custom_number"], tells))
    named = matters.select("table", ROW, pl.col("custom_number").alias("matter"), key.alias("matter_key"), pl.col("client_first_name").alias(NAME[0]),
                           pl.col("client_last_name").alias(NAME[1]), pl.col("client_company_name").alias(NAME[2]), "client_contact", "opened_on")  # fmt: skip
    linked = Links(contacts, pl.DataFrame()).meant(named.with_columns(shown_name().alias("client")), "client_contact", *NAME)
    return Links(contacts, linked.rename({f"contact_{name}": f"client_{name}" for name in _OF}).select(list(_MATTERS)), again)


def _keys_of_cards(desk: Desk) -> pl.DataFrame:
    """`table`, `row`, `card_key`: the card's id, where it is its alone; else what the card says.

    Cards that say the same who they are follow all they say: two people of one name never change places.
    """
    cards = desk.carried("contact")
    own = "contact:" + told_apart(hashed(said(cards, IDENTITY["contact"])), said(cards, _ON_CARDS))
    given = pl.col("source_id").is_not_null() & (pl.len().over("source_id") == 1)
    return cards.select("table", ROW, "source_id", own.alias("own")).select("table", ROW, pl.when(given).then("source_id").otherwise("own").alias("card_key"))


_ON_CARDS = tuple(sorted(field.name for field in RECORDS["contact"].fields))


def _tells(frame: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    return frame.select("table", ROW, pl.lit(said(frame, fields)).alias("tells"))


_MATTERS = {
    "table": pl.String, ROW: pl.UInt32, "matter": pl.String, "matter_key": pl.String, "client": pl.String, "client_key": pl.String,
    "client_kind": pl.String, "client_email": pl.String, "opened_on": pl.Date,
}  # fmt: skip


def neutral(desk: Desk, links: Links) -> dict[str, pl.DataFrame]:
    """Every kind of record in the batch, with the columns `caseferry.records.neutral` names, and `table` and `row`."""
    made = {
        "contacts": _contacts(desk, links), "matters": _matters(desk, links), "related_contacts": _relations(desk, links), "notes": _notes(desk, links),
        "tasks": _tasks(desk, links), "calendar_events": _events(desk, links), "emails": _emails(desk, links), "phone_logs": _calls(desk, links),
        "time_entries": _time(desk, links), "receivables": _balances(desk, links, "balances_forward", "price"),
        "trust_balances": _balances(desk, links, "trust_balances", "amount"), "documents": _documents(desk, links),
    }  # fmt: skip
    return {name: _whole(name, frame, desk) for name, frame in made.items() if frame is not None and not frame.is_empty()}


def _whole(name: str, frame: pl.DataFrame, desk: Desk) -> pl.DataFrame:
    """All fields in their order, typed; those nobody filled are empty."""
    fields = NEUTRAL[name].fields
    frame = frame.with_columns(pl.lit(desk.intake.received_on).alias("received_on"))
    return frame.select(
        "table", pl.col(ROW).cast(pl.UInt32),
        *((pl.col(field) if field in frame.columns else pl.lit(None)).cast(DTYPES[kind]).alias(field) for field, kind in fields.items()),
    )  # fmt: skip


def _contacts(desk: Desk, links: Links) -> pl.DataFrame | None:
    if "contacts" not in desk.files:
        return None
    cards = ensure(desk.carried("contact"), dict.fromkeys(("is_client", "household", "household_title"), pl.String))
    emails = pl.col("emails")
    cards = cards.with_columns(_consent(desk, cards).alias("consent"))
    known = cards.select(
        "table", ROW, "source_id", "title", "given_name", "middle_name", "job_title", "card_type", emails.list.get(0, null_on_oob=True).alias("email"),
        emails.list.get(1, null_on_oob=True).alias("email_2"), emails.list.get(2, null_on_oob=True).alias("email_3"),
        pl.when(emails.list.len() > 0).then(emails.list.join("; ")).alias("emails"), pl.coalesce(*PRIMARY_PHONE).alias("phone"),
        "phone_home", "phone_work", "phone_mobile", "phone_fax", "street", "city", "state", "postal_code", "country", "notes", "birth_on", pl.col("client_since").alias("said_since"),
        "consent", "is_client", "household", "household_title",
    )  # fmt: skip
    theirs = links.matters.filter(pl.col("client_key").is_not_null())
    theirs = pl.concat([theirs.select("client_key", "matter", "opened_on"), _of_staying(desk, links)])
    theirs = theirs.group_by("client_key", maintain_order=True).agg(pl.col("matter").sort().str.join("; ").alias("matters"), pl.col("opened_on").min().alias("client_since"))
    made = links.contacts.join(known, on=["table", ROW], how="left", maintain_order="left", suffix="_of_card")
    made = made.join(theirs, left_on="contact_key", right_on="client_key", how="left", maintain_order="left")
    return made.with_columns(
        pl.col("contact_key").alias("key"), pl.col("shown").alias("shown_name"), pl.coalesce("last_name", "company", "shown").alias("sort_name"), pl.coalesce("given_name", "first_name").alias("given_name"),
        pl.coalesce("said_since", "client_since").alias("client_since"),  # the old system's own day, else that of the first matter
        pl.coalesce(_says("is_client", _YES, _NO), pl.col("matters").is_not_null()).alias("is_client"),
    )  # fmt: skip


def _says(name: str, yes: tuple[str, ...], no: tuple[str, ...]) -> pl.Expr:
    """What a cell says of a question with two answers; nothing where it says neither."""
    word = pl.col(name).str.strip_chars().str.to_lowercase()
    return pl.when(word.is_in(list(yes))).then(True).when(word.is_in(list(no))).then(False)


def _of_staying(desk: Desk, links: Links) -> pl.DataFrame:
    """Clients of matters that are finished where they are: clients all the same."""
    schema = {"client_key": pl.String, "matter": pl.String, "opened_on": pl.Date}
    if desk.staying.is_empty():
        return pl.DataFrame(schema=schema)
    frame = desk.records["matter"].filter(pl.col("reason").eq_missing("open_matter_stays"))
    named = frame.select(*(pl.col(f"client_{part}").alias(part) for part in NAME), pl.col("number").alias("matter"), "opened_on", "client_contact")
    return links.meant(named, "client_contact", *NAME).filter(pl.col("contact_key").is_not_null()).rename({"contact_key": "client_key"}).select(list(schema))


def _consent(desk: Desk, cards: pl.DataFrame) -> pl.Series:
    """`yes` or `no` to e-mail, or nothing where nobody said.

    Whatever stands in a column of those who opted out, and is no clear no, is an opt-out: a tick, a day, a word. Who opted
    out on any card, also on one that is not carried, has opted out with its addresses.
    """
    every = desk.records["contact"]
    emails = pl.col("emails").list.eval(pl.element().str.to_lowercase())
    refused = every.select(_refuses(every).alias("out"), emails.alias("emails")).filter("out")["emails"].explode().drop_nulls().unique()
    word = pl.col("consent").str.strip_chars().str.to_lowercase() if "consent" in cards.columns else pl.lit(None, pl.String)
    said = cards.select(pl.when(_refuses(cards)).then(pl.lit("no")).when(word.is_in(list(_YES))).then(pl.lit("yes")).alias("said"), emails.alias("emails"))
    shared = pl.col("emails").list.eval(pl.element().is_in(refused.implode())).list.any() if refused.len() else pl.lit(False)
    return said.select(pl.when(shared.fill_null(False)).then(pl.lit("no")).otherwise("said").alias("consent")).to_series()


def _refuses(cards: pl.DataFrame) -> pl.Expr:
    def there(name: str) -> pl.Expr:
        return pl.col(name).str.strip_chars().str.to_lowercase() if name in cards.columns else pl.lit(None, pl.String)

    out = there("opted_out")
    return there("consent").is_in(list(_NO)).fill_null(False) | (out.is_not_null() & (out != "") & ~out.is_in(list(_NOT_OUT))).fill_null(False)


def _matters(desk: Desk, links: Links) -> pl.DataFrame | None:
    if "matters" not in desk.files:
        return None
    lines = desk.files["matters"].select(
        "table", ROW, pl.col("custom_number").alias("number"), "description", "status", "stage", "opened_on", "closed_on",
        pl.col("practice_area"), pl.col("responsible_attorney").alias("responsible"), "responsible_email", "responsible_before",
        pl.col("originating_attorney").alias("originating"), "client_reference", "location", (pl.col("status") == "Open").alias("is_open"),
    )  # fmt: skip
    linked = lines.join(links.matters.drop("matter", "opened_on"), on=["table", ROW], how="left", maintain_order="left").with_columns(pl.col("matter_key").alias("key"))
    short = pl.concat_str("number", pl.lit(" "), pl.col("client").fill_null(""))
    title = pl.concat_str(short, pl.lit(" – "), pl.col("description").fill_null("")).str.replace(r"\s+–\s+$", "")
    return linked.with_columns(pl.when(title.str.len_chars() <= _LONGEST_TITLE).then(title).otherwise(short).alias("title"))  # the description stands by itself too


def _hung(frame: pl.DataFrame, links: Links, number: str = "matter_number") -> pl.DataFrame:
    """With the matter and its client; `matter` is its number as the files write it."""
    frame = frame.drop("matter", "matter_key", "client", "client_key", strict=False) if number != "matter" else frame.drop("matter_key", "client", "client_key", strict=False)
    frame = frame.rename({number: "matter"})
    return frame.join(links.by_number.select("matter", "matter_key", "client", "client_key"), on="matter", how="left", maintain_order="left")


def _relations(desk: Desk, links: Links) -> pl.DataFrame | None:
    if "related_contacts" not in desk.files:
        return None
    lines = desk.files["related_contacts"].select("table", ROW, "matter", *NAME, "contact", "relationship", "contact_meant")
    # Who stands in a column of the matter list belongs to that very matter, also where another has its number.
    own = links.matters.select("table", ROW, *(pl.col(name).alias(f"{name}_of_row") for name in ("matter_key", "client", "client_key")))
    found = _hung(lines, links, "matter").join(own, on=["table", ROW], how="left", maintain_order="left")
    found = found.with_columns(pl.coalesce(f"{name}_of_row", name).alias(name) for name in ("matter_key", "client", "client_key"))
    return _keyed("related_contact", links.meant(found, "contact_meant", *NAME), "matter_key", "matter", "contact_key", "contact", "relationship")


def _keyed(record: str, frame: pl.DataFrame, *fields: str) -> pl.DataFrame:
    """Records that are all there, with a key that follows some of their fields."""
    keys = hashed(said(frame, fields))
    return frame.with_columns((f"{record}:" + numbered(keys)).alias("key"))


def _notes(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("note"):
        return None
    frame = _hung(links.keyed(desk, "note"), links)
    return links.meant(frame.rename({"contact_name": "shown"}), "contact_meant", "shown").with_columns(
        pl.col("shown").alias("contact"), pl.coalesce("contact_key", "client_key").alias("contact_key")
    )


def _tasks(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("task"):
        return None
    frame = _hung(links.keyed(desk, "task"), links)
    return frame.with_columns(pl.col("user").alias("assignee"), pl.col("user_email").alias("assignee_email"), (pl.col("status") == "Complete").alias("is_done"))


def _events(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("calendar_event"):
        return None
    times = links.keyed(desk, "calendar_event", happening(desk))
    frame = _hung(times.with_columns(pl.col("key") + occurrence(times)), links)
    zone = pl.coalesce("time_zone", pl.lit(desk.migration.time_zone, pl.String))
    all_day = pl.col("all_day").is_not_null()
    is_known = zone.is_in(sorted(known()))
    frame = frame.with_columns(
        pl.when(~all_day & is_known).then(zone).alias("time_zone"), pl.when(~all_day & ~is_known).then(zone).alias("zone_before"), pl.col("user").alias("owner"), pl.col("user_email").alias("owner_email"),
    )  # fmt: skip
    clocks = [
        pl.when(~all_day).then(pl.col(day).dt.strftime("%Y%m%dT") + pl.col(time).str.replace_all(":", "")).alias(name)
        for name, day, time in (("start_clock", "start_on", "start_time"), ("end_clock", "end_on", "end_time"))
    ]
    return frame.with_columns(
        *clocks, pl.when(all_day).then("start_on").alias("all_day_on"), all_day.alias("is_all_day"), (pl.coalesce("end_on", "start_on") + pl.duration(days=1)).alias("day_after_end"),
        pl.when(all_day).then(pl.coalesce("end_on", "start_on") + pl.duration(days=1)).alias("day_after_all_day"),
        *(_universal(frame, day, time).alias(name) for name, day, time in (("starts_at", "start_on", "start_time"), ("ends_at", "end_on", "end_time"))),
    )


def _universal(frame: pl.DataFrame, day: str, time: str) -> pl.Series:
    """Moments in universal time, where day, time of day and zone are known and the clock showed it once."""
    local = frame.select((pl.col(day).cast(pl.String) + "T" + pl.col(time)).str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False).alias("at"), "time_zone").with_row_index("i")
    some = []
    for (zone,), rows in local.drop_nulls().partition_by("time_zone", as_dict=True).items():
        moment = pl.col("at").dt.replace_time_zone(str(zone), ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
        some.append(rows.select("i", moment.cast(DTYPES["moment"]).alias("utc")))
    if not some:
        return pl.Series("utc", [None] * frame.height, dtype=DTYPES["moment"])
    return local.select("i").join(pl.concat(some), on="i", how="left", maintain_order="left")["utc"]


def _emails(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("email"):
        return None
    return _hung(links.keyed(desk, "email"), links).rename({"sent_at": "sent_on"})


def _calls(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("phone_log"):
        return None
    frame = _hung(links.keyed(desk, "phone_log"), links).rename({"called_at": "called_on"})
    return frame.rename({"duration": "duration_hours"}) if "duration" in frame.columns else frame


def _time(desk: Desk, links: Links) -> pl.DataFrame | None:
    if not desk.has("time_entry"):
        return None
    frame = _hung(links.keyed(desk, "time_entry"), links).drop("hours", "rate", "amount", strict=False)
    exact = pl.Decimal(38, 8)
    amount = (pl.col("price").cast(exact) * pl.col("quantity").cast(exact)).round(2, mode="half_away_from_zero").cast(MONEY)
    return frame.with_columns(
        pl.col("user").alias("staff"), pl.col("user_email").alias("staff_email"), pl.col("quantity").alias("hours"), pl.col("price").alias("rate"),
        amount.alias("amount"), (pl.col("non_billable") != "yes").fill_null(True).alias("is_billable"),
    )  # fmt: skip


def _balances(desk: Desk, links: Links, file: str, amount: str) -> pl.DataFrame | None:
    if file not in desk.files:
        return None
    lines = desk.files[file]
    contact = pl.col("contact") if "contact" in lines.columns else pl.lit(None, pl.String)
    meant = pl.col("owner_contact") if "owner_contact" in lines.columns else pl.lit(None, pl.String).alias("owner_contact")
    lines = lines.select("table", ROW, "matter", meant, contact.alias("shown"), pl.col("day").alias("as_at"), pl.col(amount).cast(MONEY).alias("amount"), "note",
                         pl.lit(desk.migration.currency).alias("currency"))  # fmt: skip
    found = links.meant(_hung(lines, links, "matter"), "owner_contact", "shown")
    found = found.with_columns(pl.coalesce("client", "shown").alias("client"), pl.coalesce("client_key", "contact_key").alias("client_key"))
    return _keyed("receivable" if file == "balances_forward" else "trust", found, "matter", "client", "client_key")


def _documents(desk: Desk, links: Links) -> pl.DataFrame | None:
    """A document's key is its path; what is attached to a message follows the message, what it is called and what it holds."""
    if "documents" not in desk.files:
        return None
    lines = desk.files["documents"]
    mails = links.keyed(desk, "email").select("table", ROW, pl.col("key").alias("mail")) if desk.has("email") else pl.DataFrame(schema={"table": pl.String, ROW: pl.UInt32, "mail": pl.String})
    lines = lines.join(mails, on=["table", ROW], how="left", maintain_order="left").with_columns(pl.col("path").str.split("/").list.last().alias("called"))
    attached = "document:" + hashed(said(lines, ("mail", "called", "sha256")))
    keys = numbered(lines.select(pl.when(pl.col("mail").is_null()).then("path").otherwise(pl.lit(attached)).alias("key")).to_series())
    return _hung(lines.with_columns(keys.alias("key")), links, "matter")
