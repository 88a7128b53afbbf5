"""Who in the old system is which user of the new one: by id, e-mail, alias, full name; two candidates are none."""

from collections.abc import Iterable

import polars as pl

from caseferry.choices import Migration, User
from caseferry.errors import NeedsAnswer, Question
from caseferry.mapping.names import key_of
from tasks.merge.batches import Outcomes
from tasks.merge.desk import Desk


def match_user(text: str, users: Iterable[User]) -> User | None:
    """The one active user a text names, tried in the stated order; more than one candidate is no match."""
    active = [user for user in users if user.licence == "active"]
    exact, folded, name = text.strip(), text.strip().casefold(), key_of(text)
    for matches in (
        [user for user in active if user.id and user.id == exact],
        [user for user in active if user.email.casefold() == folded],
        [user for user in active if folded in {alias.casefold() for alias in user.aliases}],
        [user for user in active if key_of(user.name) == name],
    ):
        if matches:
            return matches[0] if len(matches) == 1 else None
    return None


def user_table(texts: pl.Series, migration: Migration) -> pl.DataFrame:
    """`text`, `user` (name in the target), `user_email` for every distinct text that names exactly one active user."""
    distinct = [text for text in texts.drop_nulls().unique().sort().to_list() if text.strip()]
    found = [(text, match_user(text, migration.users)) for text in distinct]
    rows = [(text, user.name, user.email) for text, user in found if user]
    return pl.DataFrame(rows, schema={"text": pl.String, "user": pl.String, "user_email": pl.String}, orient="row")


def ask_for_primary(desk: Desk, record: str, without: int) -> None:
    """Ask who takes what nobody owns, if there is any.

    Raises:
        NeedsAnswer: there is.
    """
    if without:
        found = f"{without} rows of {record} have no active user in {desk.target.title}"
        raise NeedsAnswer((Question("CF-126", "primary subscriber", found, "primary_subscriber"),))


def ask_before(desk: Desk, outcomes: Outcomes) -> None:
    """Look through all parts for tasks and events that nobody owns, where no primary subscriber is named.

    Raises:
        NeedsAnswer: there are some.
    """
    if desk.migration.primary is not None:
        return
    for record, column in (("task", "assignee"), ("calendar_event", "owner")):
        without = 0
        for frame in outcomes.columns(record, ("place", column)):
            live = frame.filter(pl.col("place") == "carried")
            known = user_table(live[column], desk.migration)["text"] if column in live.columns else None
            without += live.height if known is None else int((~live[column].is_in(known.implode())).fill_null(True).sum())
        ask_for_primary(desk, record, without)


def resolve(desk: Desk, record: str, column: str, *, fallback: bool) -> None:
    """Give a record's rows `user` and `user_email`.

    Args:
        fallback: rows nobody matches go to the primary subscriber, listed with the name the old system has.

    Raises:
        NeedsAnswer: rows need the primary subscriber and none is named; no file is written then.
    """
    frame = desk.records[record]
    if column not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
    table = user_table(frame[column], desk.migration)
    frame = frame.join(table, left_on=column, right_on="text", how="left", maintain_order="left")
    desk.records[record] = frame
    nobody = pl.col("user").is_null()
    if not fallback:
        return
    primary = desk.migration.primary
    if primary is None:
        ask_for_primary(desk, record, frame.filter(nobody & (pl.col("place") == "carried")).height)
        return
    desk.find(record, nobody & pl.col(column).is_not_null(), column, "user_fallback", "carried", pl.col(column),
              "add this person to `users`, with a licence")  # fmt: skip
    desk.find(record, nobody & pl.col(column).is_null(), column, "no_user_named", "carried")
    desk.change(record, nobody, column, "user_fallback", pl.col(column), pl.lit(primary.name))
    desk.records[record] = desk.records[record].with_columns(
        pl.coalesce("user", pl.lit(primary.name)).alias("user"),
        pl.coalesce("user_email", pl.lit(primary.email)).alias("user_email"),
        nobody.alias("fell_back"),
    )
