"""Cards and calendars that were handed over, read back: by the standard's text, with nothing of the code that wrote them."""

import re
from collections.abc import Sequence

import polars as pl

_RULES = r"(?m)^((?:RRULE|RDATE|EXDATE|EXRULE|RECURRENCE-ID)[;:].*?)\r?$"


def read_entries(data: bytes, header: Sequence[str], kind: str) -> pl.DataFrame:
    """The properties of each entry, as columns `0`, `1`, … in the order of the header; what is not there is the empty text.

    Args:
        kind: `VCARD` or `VEVENT`.
    """
    text = re.sub(r"\r\n[ \t]", "", data.decode())  # a line that goes on
    bodies = re.findall(rf"(?ms)^BEGIN:{kind}\r\n(.*?)^END:{kind}\r\n", text)
    entries = pl.Series("e", bodies, dtype=pl.String)
    return pl.DataFrame([_property(entries, heading).fill_null("").alias(f"{n}") for n, heading in enumerate(header)])


def _property(entries: pl.Series, heading: str) -> pl.Series:
    if heading.startswith("+"):
        return entries.str.extract_all(_RULES).list.join("\n").replace("", None)
    if heading.startswith("*"):
        return entries.str.extract(rf"(?m)^{re.escape(heading[1:])}([;:].*?)\r?$", 1)
    return entries.str.extract(rf"(?m)^{re.escape(heading)}:(.*?)\r?$", 1)


def plain_text(text: pl.Series) -> pl.Series:
    """A text freed of the marks cards and calendars put before commas, semicolons and line ends."""
    marked = text.str.replace_all("\\\\", "\x00", literal=True)
    marked = marked.str.replace_all(r"\\[nN]", "\n").str.replace_all(r"\\([,;])", "${1}")
    return marked.str.replace_all("\x00", "\\", literal=True)


def part_of(text: pl.Series, at: int) -> pl.Series:
    """One of the parts of a name or an address, which semicolons without a mark before them divide."""
    marked = text.str.replace_all("\\\\", "\x00", literal=True).str.replace_all("\\;", "\x01", literal=True)
    part = marked.str.split(";").list.get(at, null_on_oob=True).fill_null("")
    return part.str.replace_all("\x01", "\\;", literal=True).str.replace_all("\x00", "\\\\", literal=True)
