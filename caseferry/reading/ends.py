"""Does a list of text end where a list ends? A download that broke off leaves half a row behind, and nobody the wiser."""

import csv

from caseferry.reading.source import Source

_LOOK = 1 << 16
_SIGNS = ",;\t|"


def ends_midway(source: bytes | Source) -> bool:
    """True if the last line has no end and fewer cells than the two lines above it, which are equally wide.

    Text of two bytes a letter, and a last line in the middle of a quoted cell, say nothing here: a quotation mark that is never
    closed is found by the reader.
    """
    tail = source[-_LOOK:]
    lines = tail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")[-3:]
    if b"\0" in tail or len(lines) < 3 or not lines[-1].strip() or any(line.count(b'"') % 2 for line in lines):
        return False
    sign = max(_SIGNS, key=lambda one: lines[1].count(one.encode()))
    before, above, last = (_cells(line, sign) for line in lines)
    return above > 2 and above == before and 1 < last < above


def _cells(line: bytes, sign: str) -> int:
    return len(next(csv.reader([line.decode("latin-1")], delimiter=sign), []))
