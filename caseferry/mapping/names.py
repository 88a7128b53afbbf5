"""Names: persons told from companies, and the forms by which two spellings are one."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

import polars as pl

_SPLITTERS = re.compile(r"\s{0,9}(?:;|\n|\s&\s|\sand\s|\s/\s)\s{0,9}", re.IGNORECASE)


_PLAIN = "À-ÖØ-öø-ÿĀ-ıĴ-ľŁ-ňŊ-ž’"
"""What a name may hold beside ASCII and be plain: letters that NFKC leaves as they are, and one apostrophe."""
_ODD_NAME = rf"[^ -~{_PLAIN}]|[.`]|  |^ | $|,.*,|^,|,$"
_ODD_NUMBER = r"[^!-`{-~]"


def key(text: pl.Expr) -> pl.Expr:
    """The normal form a name is joined by: case, spaces, dots and the order round a comma do not count."""
    return _apart(text, _ODD_NAME, _plain_name_key, _name_key)


_LAST_FIRST = r"^([^,]+),\s*([^,]+)$"


def _plain_name_key(text: pl.Series) -> pl.Series:
    small = text.str.to_lowercase().str.replace_all("’", "'", literal=True)
    rows = small.str.contains(",", literal=True).fill_null(False).arg_true()
    if not rows.len():
        return small
    last, first = small.gather(rows).str.splitn(",", 2).struct.unnest()
    turned = pl.select(pl.concat_str(first.str.strip_chars_start(" "), last, separator=" ")).to_series()
    return turned if rows.len() == small.len() else small.scatter(rows, turned)


def _name_key(text: pl.Expr) -> pl.Expr:
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[.\u00a0]", " ")
    plain = plain.str.replace_all(r"[’`´]", "'").str.replace_all(r"\s+", " ").str.strip_chars()
    return plain.str.replace(_LAST_FIRST, "${2} ${1}")


def _apart(text: pl.Expr, odd: str, quick: Callable[[pl.Series], pl.Series], careful: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """A normal form: the long way for the few texts that need it, the short one for all others, where both say the same."""

    def read(texts: pl.Series) -> pl.Series:
        made, rows = quick(texts), texts.str.contains(odd).fill_null(False).arg_true()
        made = made.scatter(rows, texts.gather(rows).to_frame("t").select(careful(pl.col("t"))).to_series()) if rows.len() else made
        empty = (made == "").fill_null(False).arg_true()
        return made.scatter(empty, None) if empty.len() else made

    return text.map_batches(read, return_dtype=pl.String, is_elementwise=True)


@lru_cache(maxsize=10_000)
def key_of(text: str) -> str:
    """`key` for one value."""
    return str(pl.select(key(pl.lit(text))).item() or "")


def number_key(text: pl.Expr) -> pl.Expr:
    """The normal form of a matter number: case and spaces do not count; leading zeros do."""
    return _apart(text, _ODD_NUMBER, lambda plain: plain.clone(), _number_key)


def _number_key(text: pl.Expr) -> pl.Expr:
    return text.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"\s+", "")


BY_ID = "\x1fid:"
"""What stands before the normal form of what names a matter by its id, until the merge knows its number."""


def company_pattern(words: Iterable[str]) -> str:
    """A pattern true for names that carry a word only companies have."""
    choices = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True))
    return rf"(?i)(?:^|[\s(.,&-])(?:{choices})\.?(?:$|[\s),.-])"


def title_pattern(titles: Iterable[str]) -> str:
    return rf"(?i)^(?:{'|'.join(sorted(titles, key=len, reverse=True))})\.?\s+"


def several_people(text: str) -> list[str]:
    """The pieces of a cell that may name several clients; one piece if nothing separates them.

    `John and Mary Smith` gives `John Smith`, `Mary Smith`: the shared surname goes to each. Whether the pieces are
    people at all is for the caller to prove against the contact list.
    """
    pieces = [piece.strip() for piece in _SPLITTERS.split(text) if piece.strip()]
    if len(pieces) < 2:
        return [text.strip()]
    surname = pieces[-1].split()[-1]
    if "," not in text and len(pieces[-1].split()) > 1:
        pieces = [f"{piece} {surname}" if len(piece.split()) == 1 else piece for piece in pieces[:-1]] + pieces[-1:]
    return pieces


LAST_NAME = r"^(.*?)\s(\S+(?:,?\s(?i:jr|sr|ii|iii|iv|esq|m\.?d|ph\.?d|j\.?d|cpa|dds)\.?)*)$"
"""What stands before a last name, and the last name: `Frost Jr.` is one."""
