"""Headings nobody has told us of, held against those that profiles know: spelt together, shortened, longer, or in another language."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from caseferry.mapping.headings import normal
from caseferry.mapping.layers import read_yaml
from caseferry.mapping.profile import known_sources, load_profile
from caseferry.profiling.kinds import KINDS
from caseferry.records import RECORDS

_CAMEL = re.compile(r"(?<=[a-z0-9à-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_BRACKETS = re.compile(r"\(([^)]*)\)")
_UNITS = ("hours", "minutes", "seconds")
_ONE_LETTER = re.compile(r"\b([flm]) ?name\b")
_FILLERS = {
    "of", "the", "a", "an", "s", "and", "or", "on", "in", "for", "at", "1", "is", "was", "do", "we", "it", "them", "how", "what", "sociale", "social",
    "di", "del", "della", "de", "du", "la", "le", "el", "da", "der", "des", "van", "zum", "zur", "tbl", "fld", "str", "txt", "int", "lng", "bln",
}  # fmt: skip
_JOINTS = ("", "s", "n", "en")
"""What stands between words that are written together, in German and Dutch."""
_LONGEST = 40
"""Letters of a word that is tried as several."""
_SHORTEST, _PAIRS = 3, {"no", "nr", "id", "dt", "cl", "mt", "tr", "tm", "tk", "st", "ph", "rt", "hr"}
"""Letters of a piece of a word that is several; and the pieces of two."""


@lru_cache
def _spelt() -> dict[str, str]:
    """What is written → the word it means."""
    said = read_yaml(Path(__file__).with_name("words.yaml"))
    assert isinstance(said, dict)
    return {str(one): str(word) for word, spellings in said.items() for one in spellings}


@lru_cache
def _every_word() -> frozenset[str]:
    return frozenset(_spelt()) | {piece for word in _spelt().values() for piece in word.split()}


@dataclass(frozen=True)
class Likeness:
    """How like a known heading of a field another is, from 0 to 1, and why."""

    field: str
    share: float
    reason: str


def is_known(heading: str) -> bool:
    """True if the heading means something in some record, in so many words."""
    return any(like.share >= 0.9 for kind in KINDS for like in likenesses(kind, heading)[:1])


@lru_cache(maxsize=1 << 16)
def words_in(heading: str) -> tuple[str, ...]:
    """`ClientLName`, `client last name` and `CLTLASTNAME` have the same words."""
    text = normal(_CAMEL.sub(" ", _BRACKETS.sub(_unit, heading).replace("_", " ")))
    for phrase, word in _phrases():
        if phrase in text:
            text = f" {text} ".replace(f" {phrase} ", f" {word} ").strip()
    text = _ONE_LETTER.sub(lambda found: {"f": "first name", "l": "last name", "m": "middle name"}[found.group(1)], text)
    if text == "st":
        text = "state"
    long = (word for short in text.split() for word in _meant(short).split())
    return tuple(word for word in long if word not in _FILLERS)


def _unit(found: re.Match[str]) -> str:
    """What stands in brackets is left out, but for the unit of a duration."""
    return f" {found.group(1)} " if _one(normal(found.group(1))) in _UNITS else " "


@lru_cache
def _phrases() -> tuple[tuple[str, str], ...]:
    """What is written in several words, the longest first."""
    return tuple(sorted(((one, word) for one, word in _spelt().items() if " " in one), key=lambda pair: -len(pair[0])))


def _meant(token: str) -> str:
    """The word, or words, that one is a spelling of; itself where it is none that is known."""
    known = _one(token)
    if known:
        return known
    pieces = _apart(token)
    return " ".join(_one(piece) for piece in pieces) if pieces else token


def _one(token: str) -> str:
    for form in (token, token.removesuffix("s") if len(token) > _SHORTEST else token):
        if form in _spelt():
            return _spelt()[form]
        if form in _every_word():
            return form
    return ""


def _apart(token: str) -> tuple[str, ...]:
    """The fewest words that a word is written together from; none where some of it is no word."""
    if len(token) > _LONGEST:
        return ()
    best: dict[int, tuple[str, ...]] = {0: ()}
    for end in range(2, len(token) + 1):
        for start in range(end - 1):
            piece = token[start:end]
            if start not in best or not (len(piece) >= _SHORTEST or piece in _PAIRS) or not _one(piece):
                continue
            made = (*best[start], piece)
            for joint in _JOINTS if end < len(token) else ("",):
                after = end + len(joint)
                if token[end:after] == joint and (after not in best or len(made) < len(best[after])):
                    best[after] = made
    return best.get(len(token), ())


def means_something(text: str) -> bool:
    """True if every word of it is one we know."""
    return bool(words_in(text)) and all(word in _every_word() for word in words_in(text))


def names_in(text: str) -> frozenset[str]:
    """The words of a heading or a list's name that say of whom: not that it is a number."""
    return frozenset(words_in(text)) - _TELLS_NOTHING


@lru_cache
def _known() -> dict[str, dict[str, tuple[str, str]]]:
    """Of each kind: heading → field, and the product whose heading it is."""
    found: dict[str, dict[str, tuple[str, str]]] = {kind: {} for kind in KINDS}
    for source in ("leap", *(name for name in known_sources() if name != "leap")):
        profile = load_profile(source)
        for name, table in profile.tables.items():
            kind = table.exclusion or table.record
            for heading, use in profile.headings(name).items():
                if use and ":" not in use and kind in found:
                    found[kind].setdefault(heading, (use, profile.product))
    return found


@lru_cache
def _by_words(kind: str) -> dict[frozenset[str], str]:
    """The words of a heading → the field. What is said of the kind itself comes first."""
    found: dict[frozenset[str], str] = {}
    for name, phrases in KINDS[kind].says.items():
        for phrase in phrases:
            found.setdefault(frozenset(words_in(phrase)), name)
    for heading, (name, _) in _known()[kind].items():
        found.setdefault(frozenset(words_in(heading)), name)
    for field in RECORDS[KINDS[kind].record].fields:
        found.setdefault(frozenset(words_in(field.name)), field.name)
    found.pop(frozenset(), None)
    return found


@lru_cache(maxsize=1 << 16)
def likenesses(kind: str, heading: str) -> tuple[Likeness, ...]:
    """The fields of a kind of list a heading may mean, likeliest first, one reading of each."""
    plain = normal(heading)
    best: dict[str, Likeness] = {}
    if plain in _known()[kind]:
        field, product = _known()[kind][plain]
        best[field] = Likeness(field, 1.0, f"{product} calls it so")
    words = frozenset(words_in(heading))
    for known, field in _by_words(kind).items():
        common = known & words
        if not common or (common == _TELLS_NOTHING and (known != words or field not in _NUMBERS)):
            continue
        if known != words and common <= _TELLS_LITTLE and not (common == known == _DATE):
            continue
        share = 0.95 if known == words else 0.85 * len(common) / len(known | words)
        if share >= _LEAST and share > (best[field].share if field in best else 0):
            reason = f"reads as {' '.join(words_in(heading))!r}" if known == words else f"shares {', '.join(sorted(common))}"
            best[field] = Likeness(field, round(share, 2), reason)
    return tuple(sorted(best.values(), key=lambda one: (-one.share, one.field)))


_LEAST = 0.4
_TELLS_NOTHING = frozenset({"no"})
"""What every id is headed with, whosever it is."""
_TELLS_LITTLE, _DATE = frozenset({"no", "date", "type", "name", "first", "last", "time", "1"}), frozenset({"date"})
"""What many headings have in common that mean different things; a day of whatever is a day all the same."""
_NUMBERS = ("source_id", "number")
"""The fields a mere `ID` may be."""
