"""Which text encoding a file was written in: mark, strict UTF-8, UTF-16 by its NULs, then the likeliest old one.

Detection libraries were tried and left: one read Windows-1252 as Central European, the other misread two of four
(see docs/decisions/0004). What is chosen is always reported.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from caseferry.reading.source import PIECE, Source

_OLD = ("cp1252", "cp1250", "mac_roman", "cp850")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = ("utf-16", "utf-32")
"""How encodings are called that have two or four bytes a letter."""
_WESTERN = set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœŒšŠžŽ")
_PUNCTUATION = set("’‘“”–—…•£€©®™°§±½¼¾·«»¿¡\u00a0´º²³")
_CENTRAL = set("ăąćčďđęěğıłńňőřśşţťůűźżĂĄĆČĎĐĘĚĞŁŃŇŐŘŚŞŢŤŮŰŹŻ")


@dataclass(frozen=True)
class Written:
    """How a file is written."""

    encoding: str
    mark: int = 0
    """Bytes at its beginning that are no text."""
    assumed: bool = False
    """True where nothing in the file proves the encoding."""
    could_be: tuple[str, ...] = ()
    """The candidates, where not even the letters say which: somebody has to be asked."""
    repaired: int = 0
    """Stray bytes of another encoding in a UTF-8 file, read as Windows-1252."""
    is_old: bool = False
    """A table of 256 letters, where any byte is one."""
    is_proven: bool = False
    """Behind the mark all is UTF-8, to the last byte."""


def tell(source: Source) -> Written:
    """The encoding a file is written in, looked for from its first byte to its last."""
    head = source[:4096]
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _utf8(source, name, len(mark)) if name == "utf-8-sig" else Written(name)
    if head.count(0) > len(head) * 0.1:
        little = head[1::2].count(0) >= head[0::2].count(0)
        return Written("utf-16-le" if little else "utf-16-be")
    return _utf8(source, "utf-8", 0)


def utf8(source: Source, written: Written, size: int = PIECE, may_break_off: bool = False) -> Iterator[bytes]:
    """The file's text as UTF-8, piece by piece; one may end within a character.

    Args:
        may_break_off: half a character at the end of a file with two or four bytes a letter is left out: whoever asks tells that
            the file broke off there, see `caseferry.reading.ends`.

    Raises:
        UnicodeDecodeError: a byte-order mark, or a person, promises an encoding that the bytes break.
    """
    if written.is_proven:
        yield from source.pieces(written.mark, size=size)
    elif written.repaired:
        stray, mark = _stray(), written.mark
        for piece in source.lines(size):
            yield piece[mark:].decode(errors=stray.name).encode()
            mark = 0
    else:
        decoder = codecs.getincrementaldecoder(written.encoding)("replace" if written.is_old else "strict")
        is_first = True
        for piece in chain(source.pieces(size=size), [b""]):
            if not piece and may_break_off and written.encoding.startswith(WIDE):
                return  # what is left is half a character, or nothing
            if text := decoder.decode(piece, final=not piece):
                yield (text.removeprefix("\ufeff") if is_first else text).encode()
                is_first = False


def text_of(source: Source, written: Written | None = None) -> str:
    """All of a file's text."""
    return b"".join(utf8(source, written or tell(source))).decode()


def _utf8(source: Source, name: str, mark: int) -> Written:
    decoder, is_ascii = codecs.getincrementaldecoder("utf-8")(), not mark
    try:
        for piece in source.pieces(mark):
            is_ascii = is_ascii and piece.isascii()
            if not is_ascii:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
        return Written("ascii" if is_ascii else name, mark, is_proven=True)
    except UnicodeDecodeError:
        pass
    stray, good = _stray(), 0
    for piece in source.lines():
        good += len(_BEYOND_ASCII.findall(piece.decode(errors=stray.name)))
    good -= stray.count + bool(mark)
    if mark or good > 4 * stray.count:
        return Written(name, mark, repaired=stray.count)
    return _likeliest(source[:4_000_000])


_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


def _stray() -> "_StrayBytes":
    stray = _StrayBytes()
    codecs.register_error(stray.name, stray)
    return stray


class _StrayBytes:
    """A codec error handler that reads what is not UTF-8 as Windows-1252, and counts."""

    name = "caseferry.stray"

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        self.count += error.end - error.start
        return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


def _likeliest(data: bytes) -> Written:
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:200_000]
    scores = {name: _plausible(sample, name) for name in _OLD}
    ranked = sorted(_OLD, key=lambda name: -scores[name])
    best = ranked[0]
    # Excel on Windows writes Windows-1252: another table has to read clearly better.
    if scores[best] < 1.2 * scores["cp1252"] + 1 and scores["cp1252"] > 0:
        return Written("cp1252", assumed=True, is_old=True)
    text = sample.decode(best, errors="replace")
    rivals = [name for name in ranked[1:] if scores[name] > scores[best] - 1 and sample.decode(name, errors="replace") != text]
    could_be = (best, *rivals) if rivals else () if scores[best] > 0 else tuple(ranked)
    return Written(best, assumed=True, could_be=could_be, is_old=True)


_MONEY = "£¥€¢"
"""They stand beside a figure."""


def _plausible(sample: bytes, name: str) -> float:
    """How much like names and prose the sample reads in this encoding; ties go to the earlier candidate."""
    text = sample.decode(name, errors="replace")
    score = -0.001 * _OLD.index(name)
    for match in re.finditer(r"[^\x00-\x7f]", text):
        char, at = match.group(), match.start()
        before, after = text[at - 1 : at], text[at + 1 : at + 2]
        inside = before.isalpha() and after.isalpha()
        in_word = before.isalpha() or after.isalpha()
        if char in _WESTERN:
            # A capital behind a small letter, or a letter on its own, is what a wrong table produces.
            score += -1.0 if not in_word or (char.isupper() and before.islower()) or before.isdigit() or after.isdigit() else 1.0
        elif char in _MONEY:
            score += 1.0 if after.isdigit() or before.isdigit() or after.isspace() else -1.0
        elif char in _PUNCTUATION:
            # Dashes stand beside digits and spaces; only quotes stand inside words.
            score += 1.0 if not inside or char in "’´·\u00a0" else -1.0
        elif char in _CENTRAL:
            score += 0.25 if not inside else 1.2
        else:
            score -= 1.5
    return score
