"""E-mail addresses and telephone numbers: told, split and compared, never rewritten."""

import polars as pl

EMAIL = r"^[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s,;<>()\".]{2,}$"
PHONE = r"^\s*\+?[\d(][\d\s().\-/]{5,22}\d\s*(?:(?i:ext?|x)\.?\s*\d{1,6})?\s*$"


def is_email(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.contains(EMAIL).fill_null(False)


def is_sender(text: pl.Expr) -> pl.Expr:
    """An address by itself, or behind the name of who has it: `"Smith, John" <john@x.example>`."""
    return is_email(text) | is_email(text.str.extract(r"^[^<>]*<([^<>]+)>\s*$")) | is_email(text.str.extract(r"^\s*([^\s()]+)\s*\([^()]*\)\s*$"))


def is_phone(text: pl.Expr) -> pl.Expr:
    """At least seven digits, and nothing but the punctuation of telephone numbers."""
    digits = text.str.count_matches(r"\d")
    return text.str.contains(PHONE).fill_null(False) & digits.is_between(7, 15).fill_null(False)


def split_emails(text: pl.Expr) -> pl.Expr:
    """The addresses of one cell; a cell that is not wholly addresses stays one piece, to the letter."""
    pieces = text.str.replace_all(r"(?:\s:::\s|[;,\s])+", ";").str.strip_chars(";").str.split(";")
    all_good = pieces.list.eval(pl.element().str.contains(EMAIL)).list.all()
    return pl.when(text.is_null()).then(pl.lit([], dtype=pl.List(pl.String))).when(all_good).then(pieces).otherwise(
        pl.concat_list(text)
    )


def phone_key(text: pl.Expr) -> pl.Expr:
    """What makes two spellings of a number equal: its digits."""
    return text.str.replace_all(r"\D", "")


def email_key(text: pl.Expr) -> pl.Expr:
    return text.str.strip_chars().str.to_lowercase()
