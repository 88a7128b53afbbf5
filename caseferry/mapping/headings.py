"""Headings, made comparable: case, punctuation, odd spaces and line breaks do not count."""

import re
from collections.abc import Mapping
from functools import lru_cache

_JOINERS = re.compile(r"[\s\u00a0\u2007\u202f.:;?*()\[\]'\"’`/\\_,+&–—-]+")


@lru_cache(maxsize=1 << 14)
def normal(heading: str | None) -> str:
    """`"Matter  No.:"` and `"matter no"` are one heading; `#` reads as `no`."""
    text = (heading or "").replace("#", " no ")
    return _JOINERS.sub(" ", text).strip().casefold()


def system_of(heading: str, connected: Mapping[str, str]) -> str:
    """The other system whose ids a column holds, by words of its heading; nothing for most.

    A word counts where one of the heading's begins with it (`QuickBooksID`) or some of them are it (`e-Money`, `Square customer`),
    never across words: `Fee Money` is not eMoney, and `Square Feet` no payments.
    """
    words = normal(heading).split()
    for sought, system in connected.items():
        size = len(sought.split())
        joined = sought.replace(" ", "")
        if size == 1 and any(word.startswith(sought) for word in words):
            return system
        if any("".join(words[at : at + 2]) == joined for at in range(len(words) - 1)):
            return system
    return ""
