"""Does a list of text end where a list ends? A download that broke off leaves half a row behind, and nobody the wiser."""

import codecs
import csv
import io

from caseferry.reading.encoding import WIDE
from caseferry.reading.source import Source

_LOOK = 1 << 16
_SIGNS = ",;\t|"


def ends_midway(source: Source, encoding: str) -> bool:
    """True if the last row has no end and fewer cells than the two rows above it, which are equally wide; or if the file ends
    within a letter of two or four bytes.

    A last row in the middle of a quoted cell says nothing here: a quotation mark that is never closed is found by the reader.

    Args:
        encoding: what it is written in.
    """
    if encoding.startswith(WIDE):
        return _ends_within(source, encoding)
    tail = source[-_LOOK:]
    return b"\0" not in tail and _is_cut(tail.decode("latin-1"))


def _ends_within(source: Source, encoding: str) -> bool:
    """The same of text with two or four bytes a letter."""
    letter = 2 if encoding.startswith("utf-16") else 4
    if encoding in {"utf-16", "utf-32"}:
        encoding += "-be" if source[:2] in {b"\xfe\xff", b"\0\0"} else "-le"
    tail = source[max(0, len(source) - _LOOK) // letter * letter :]
    decoder = codecs.getincrementaldecoder(encoding)("ignore")  # the first letter of these may be half of one
    text = decoder.decode(tail)
    return bool(decoder.getstate()[0]) or _is_cut(text)


def _is_cut(text: str) -> bool:
    if not text or text[-1] in "\r\n":
        return False
    if text.count('"') % 2:  # what ends outside of a quoted cell begins within one
        text = '"' + text
    before, above, last = max((_widths(text, sign) for sign in _SIGNS), key=lambda widths: widths[1])
    return above > 2 and above == before and 1 < last < above


def _widths(text: str, sign: str) -> tuple[int, int, int]:
    """Cells of each of the last three rows."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))[-3:]
    except csv.Error:
        rows = []
    before, above, last = [0] * (3 - len(rows)) + [len(row) for row in rows]
    return before, above, last
