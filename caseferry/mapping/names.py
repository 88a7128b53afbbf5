"""Names: persons told from companies, and the forms by which two spellings are one."""

import re
from collections.abc import Iterable
from functools import lru_cache

import polars as pl

_SPLITTERS = re.compile(r"\s{0,9}(?:;|\n|\s&\s|\sand\s|\s/\s)\s{0,9}", re.IGNORECASE)


def key(text: pl.Expr) -> pl.Expr:
    """The normal form a name is joined by: case, spaces, dots and the order round a comma do not count."""
    plain = text.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[.\u00a0]", " ")
    plain = plain.str.replace_all(r"[’`´]", "'").str.replace_all(r"\s+", " ").str.strip_chars()
    swapped = plain.str.replace(r"^([^,]+),\s*([^,]+)$", "${2} ${1}")
    return pl.when(plain == "").then(None).otherwise(swapped)


@lru_cache(maxsize=10_000)
def key_of(text: str) -> str:
    """`key` for one value."""
    return str(pl.select(key(pl.lit(text))).item() or "")


def number_key(text: pl.Expr) -> pl.Expr:
    """The normal form of a matter number: case and spaces do not count; leading zeros do."""
    plain = text.str.normalize("NFKC").str.to_uppercase().str.replace_all(r"\s+", "")
    return pl.when(plain == "").then(None).otherwise(plain)


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
