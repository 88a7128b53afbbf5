"""Cards become contacts: people told from companies, wrong fields noticed, every address and number kept."""

import polars as pl

from caseferry.mapping.contact_points import is_email, is_phone, split_emails
from caseferry.mapping.names import LAST_NAME, company_pattern, title_pattern
from caseferry.reading.cards import GROUP
from tasks.transform.sheet import JOB, Sheet

NAMES = ("title", "first_name", "middle_name", "last_name", "company", "display_name")
PHONES = ("phone", "phone_mobile", "phone_home", "phone_work", "phone_fax")
_DATE = r"^\d{1,4}[/.\-]\d{1,2}[/.\-]\d{2,4}$"
_COMMA_NAME = r"^\s*([^,\d]+?)\s*,\s*([^,\d]+?)\s*$"


def finish_contacts(sheet: Sheet) -> None:
    """Fill in what makes a card a contact: `kind`, names, `emails`, `street`, and the detectors' findings."""
    for name in (*NAMES, *PHONES, "card_type", "job_title"):
        if not sheet.has(name):
            sheet.put(pl.lit(None, pl.String).alias(name))
    sheet.put(_several(sheet, "email", split_emails).alias("emails"))
    sheet.find(pl.col("card_type") == GROUP, "card_type", "card_is_group", "excluded", pl.col("display_name"))
    _wrong_fields(sheet)
    _tell_kind(sheet)
    _join_street(sheet)
    pieces = pl.col("emails").list.eval(~is_email(pl.element())).list.any()
    odd = pl.col("emails").list.filter(~is_email(pl.element())).list.join("; ")
    sheet.find(pieces, "email#1", "email_format", "carried", odd)
    for number in _places(sheet, "email"):
        name = f"email#{number}"
        split = split_emails(pl.col(name)).list.len() > 1
        sheet.change(split, name, "email_split", pl.col(name), split_emails(pl.col(name)).list.join(" | "))


def _places(sheet: Sheet, field: str) -> list[int]:
    return sorted(int(name.split("#")[1]) for name in sheet.columns if name.startswith(f"{field}#") and name[-1].isdigit())


def _several(sheet: Sheet, field: str, split: object) -> pl.Expr:
    columns = [split(pl.col(f"{field}#{n}")) for n in _places(sheet, field)]  # type: ignore[operator]
    return pl.concat_list(columns) if columns else pl.lit([], dtype=pl.List(pl.String))


def _wrong_fields(sheet: Sheet) -> None:
    """Values that stand where they do not belong. They stay there unless the firm approved the fix."""
    company = company_pattern(sheet.job.profile.company_words)
    for name in ("last_name", "first_name", "company"):
        text = pl.col(name)
        rule = "email_in_name"
        _move(sheet, is_email(text), name, rule, "the e-mail address", "emails")
        sheet.find(is_phone(text), name, "phone_in_name", "carried", text, "move it to the phone number")
        sheet.find(text.str.contains(_DATE), name, "date_in_name", "carried", text, "move it to the field for dates")
    _move(sheet, is_phone(pl.col("title")), "title", "phone_in_title", "the phone number", "phone")
    _move(sheet, is_email(pl.col("title")), "title", "email_in_title", "the e-mail address", "emails")
    lone = pl.col("first_name").is_null() & pl.col("company").is_null() & pl.col("last_name").str.contains(company)
    _move(sheet, lone & ~is_email(pl.col("last_name")), "last_name", "company_in_name", "the company name", "company")
    names = pl.coalesce("last_name", "display_name")
    sheet.find(names.str.contains(r"(?i)\s(?:&|and)\s") & ~names.str.contains(company), "last_name", "several_people",
               "carried", names, "split the card into one for each person")  # fmt: skip


def _move(sheet: Sheet, when: pl.Expr, name: str, rule: str, where: str, to: str) -> None:
    """Report a value in the wrong field; move it only where the fix is approved and its place is free."""
    sheet.find(when, name, rule, "carried", pl.col(name), f"move it to {where}")
    if not sheet.fixed(rule):
        return
    free = pl.lit(True) if to == "emails" else pl.col(to).is_null()
    moves = when.fill_null(False) & free
    sheet.change(moves, name, rule, pl.col(name), pl.lit(None, pl.String))
    sheet.change(moves, to, rule, pl.lit(None, pl.String), pl.col(name))
    moved = pl.concat_list("emails", pl.col(name)) if to == "emails" else pl.col(name)
    sheet.put(
        pl.when(moves).then(moved).otherwise(pl.col(to)).alias(to), pl.when(~moves).then(name).alias(name)
    )


def _tell_kind(sheet: Sheet) -> None:
    """`person`, `company` or `undecided`, from the fields that are filled; then from the display name."""
    profile = sheet.job.profile
    person = pl.any_horizontal(pl.col(n).is_not_null() for n in ("first_name", "middle_name", "last_name"))
    company = pl.col("company").is_not_null()
    shown, kind_word = pl.col("display_name"), pl.col("card_type").str.strip_chars().str.to_lowercase()
    says_person = kind_word.is_in(list(profile.person_card_types)).fill_null(False)
    says_company = kind_word.is_in(list(profile.company_card_types)).fill_null(False)
    only_shown = ~person & ~company & shown.is_not_null()
    looks_company = says_company | (shown.str.contains(company_pattern(profile.company_words)) & ~says_person)
    comma = shown.str.contains(_COMMA_NAME) & ~looks_company
    titled = shown.str.contains(title_pattern(profile.person_titles)) & ~looks_company
    words = shown.str.replace(title_pattern(profile.person_titles), "").str.strip_chars()
    single = ~words.str.contains(r"(?i)[,&/;]|\band\b") & words.str.contains(r"\s")
    plain = (says_person | titled) & single & ~comma
    sheet.put(
        pl.when(person).then(pl.lit("person")).when(company).then(pl.lit("company"))
        .when(only_shown & looks_company).then(pl.lit("company"))
        .when(only_shown & (comma | plain)).then(pl.lit("person"))
        .when(only_shown).then(pl.lit("undecided")).otherwise(pl.lit("nameless")).alias("kind"),
        pl.when(only_shown & (comma | plain)).then(pl.lit(True)).otherwise(pl.lit(False)).alias("parse"),
    )  # fmt: skip
    first = pl.when(comma).then(shown.str.extract(_COMMA_NAME, 2)).otherwise(words.str.extract(LAST_NAME, 1))
    last = pl.when(comma).then(shown.str.extract(_COMMA_NAME, 1)).otherwise(words.str.extract(LAST_NAME, 2))
    taken = shown.str.extract("(" + title_pattern(profile.person_titles).removesuffix(r"\s+") + ")")
    given = pl.when("parse").then(first.str.replace(title_pattern(profile.person_titles), ""))
    rule = pl.when(comma).then(pl.lit("surname_first")).otherwise(pl.lit("name_split"))
    sheet.change(pl.col("parse"), "display_name", rule, shown, given + pl.lit(" | ") + last)
    whole = only_shown & ~pl.col("parse")
    is_job = pl.col(JOB).is_not_null() if sheet.has(JOB) else pl.lit(False)
    sheet.find((pl.col("kind") == "undecided") & ~is_job, "display_name", "person_or_company", "carried", shown,
               "say in the card whether this is a person or a company")  # fmt: skip
    no_name = pl.col("kind") == "nameless"
    sheet.find(no_name, "display_name", "card_without_name", "quarantined")
    sheet.put(
        pl.when("parse").then(given).otherwise("first_name").alias("first_name"),
        pl.when("parse").then(last).otherwise("last_name").alias("last_name"),
        pl.when(pl.col("parse") & titled & pl.col("title").is_null()).then(taken).otherwise("title").alias("title"),
        pl.when(whole).then(shown).otherwise("company").alias("company"),
    )
    sheet.drop("parse")


def _join_street(sheet: Sheet) -> None:
    names = [f"street#{number}" for number in _places(sheet, "street")]
    if not names:
        sheet.put(pl.lit(None, pl.String).alias("street"))
        return
    joined = pl.concat_str(names, separator=", ", ignore_nulls=True)
    several = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.UInt8) for name in names) > 1
    sheet.put(pl.when(joined != "").then(joined).alias("street"))
    sheet.change(several, "street#1", "street_joined", pl.col(names[0]), pl.col("street"))
