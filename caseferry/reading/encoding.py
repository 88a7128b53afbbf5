"""Which text encoding a file was written in: mark, strict UTF-8, UTF-16 by its NULs, then the likeliest old one.

Detection libraries were tried and left: one read Windows-1252 as Central European, the other misread two of four
(see docs/decisions/0004). What is chosen is always reported.
"""

import codecs
import re
from dataclasses import dataclass

_OLD = ("cp1252", "cp1250", "mac_roman", "cp850")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WESTERN = set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœŒšŠžŽ")
_PUNCTUATION = set("’‘“”–—…•£€©®™°§±½¼¾·«»¿¡\u00a0´º²³")
_CENTRAL = set("ăąćčďđęěğıłńňőřśşţťůűźżĂĄĆČĎĐĘĚĞŁŃŇŐŘŚŞŢŤŮŰŹŻ")


@dataclass(frozen=True)
class Decoded:
    text: str
    encoding: str
    assumed: bool = False
    """True where nothing in the file proves the encoding."""
    could_be: tuple[str, ...] = ()
    """The candidates, where not even the letters say which: somebody has to be asked."""
    repaired: int = 0
    """Stray bytes of another encoding in a UTF-8 file, read as Windows-1252."""


def proven_utf8(data: bytes, piece: int = 8 << 20) -> str:
    """`ascii`, `utf-8` or `utf-8-sig` where `decode` would say so and find nothing to mend; else nothing.

    Args:
        piece: bytes that are looked at a time.
    """
    for mark, name in _BOMS:
        if data.startswith(mark) and name != "utf-8-sig":
            return ""
    has_mark = data.startswith(codecs.BOM_UTF8)
    if not has_mark:
        if data[:4096].count(0) > len(data[:4096]) * 0.1:
            return ""
        if data.isascii():
            return "ascii"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), piece):
            decoder.decode(data[at : at + piece])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return ""
    return "utf-8-sig" if has_mark else "utf-8"


def decode(data: bytes) -> Decoded:
    """The file's text.

    Raises:
        UnicodeDecodeError: a byte-order mark promises an encoding that the bytes break.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            if name == "utf-8-sig":
                return _utf8(data[len(mark) :], "utf-8-sig")
            return Decoded(data.decode(name), name)
    if data[:4096].count(0) > len(data[:4096]) * 0.1:
        little = data[1:4096:2].count(0) >= data[0:4096:2].count(0)
        name = "utf-16-le" if little else "utf-16-be"
        return Decoded(data.decode(name), name)
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    return _utf8(data, "utf-8")


def _utf8(data: bytes, name: str) -> Decoded:
    try:
        return Decoded(data.decode("utf-8"), name)
    except UnicodeDecodeError:
        pass
    stray = _StrayBytes()
    codecs.register_error("caseferry.stray", stray)
    text = data.decode("utf-8", errors="caseferry.stray")
    good = sum(1 for char in re.findall(r"[^\x00-\x7f]", text)) - stray.count
    if name == "utf-8-sig" or good > 4 * stray.count:
        return Decoded(text, name, repaired=stray.count)
    return _likeliest(data)


class _StrayBytes:
    """A codec error handler that reads what is not UTF-8 as Windows-1252, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        self.count += error.end - error.start
        return error.object[error.start : error.end].decode("cp1252", errors="replace"), error.end


def _likeliest(data: bytes) -> Decoded:
    sample = b"\n".join(line for line in data[:4_000_000].splitlines() if not line.isascii())[:200_000]
    scores = {name: _plausible(sample, name) for name in _OLD}
    ranked = sorted(_OLD, key=lambda name: -scores[name])
    best = ranked[0]
    # Excel on Windows writes Windows-1252: another table has to read clearly better.
    if scores[best] < 1.2 * scores["cp1252"] + 1 and scores["cp1252"] > 0:
        return Decoded(data.decode("cp1252", errors="replace"), "cp1252", assumed=True)
    text = sample.decode(best, errors="replace")
    rivals = [name for name in ranked[1:] if scores[name] > scores[best] - 1 and sample.decode(name, errors="replace") != text]
    could_be = (best, *rivals) if rivals else () if scores[best] > 0 else tuple(ranked)
    return Decoded(data.decode(best, errors="replace"), best, assumed=True, could_be=could_be)


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
        elif char in _PUNCTUATION:
            # £ and dashes stand beside digits and spaces; only quotes stand inside words.
            score += 1.0 if not inside or char in "’´·\u00a0" else -1.0
        elif char in _CENTRAL:
            score += 0.25 if not inside else 1.2
        else:
            score -= 1.5
    return score
