"""Does a list of text end where a list ends? A download that broke off leaves half a row behind, and nobody the wiser."""

import csv
import io

from caseferry.reading.source import Source

_LOOK = 1 << 16
_SIGNS = ",;\t|"


def ends_midway(source: bytes | Source) -> bool:
    """True if the last row has no end and fewer cells than the two rows above it, which are equally wide.

    Text of two bytes a letter, and a last row in the middle of a quoted cell, say nothing here: a quotation mark that is never
    closed is found by the reader.
    """
    tail = source[-_LOOK:]
    if b"\0" in tail or not tail or tail[-1:] in {b"\r", b"\n"}:
        return False
    text = tail.decode("latin-1")
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
