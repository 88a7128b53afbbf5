"""Lists that are none of ours: the program's own, the staff's, a shop's."""

import re

from caseferry.mapping.headings import normal
from caseferry.profiling.kinds import STRANGERS
from caseferry.profiling.listed import Listed, stem
from caseferry.profiling.words import words_in

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ABOUT = frozenset({"tbl", "app", "list", "table", "all", "export", "dbo"})
"""Words of a list's name that say nothing of its rows."""


def words_of(phrase: str) -> frozenset[str]:
    return frozenset(words_in(phrase))


def stranger(listed: Listed) -> str:
    """What a list that is none of ours looks like; nothing for any other."""
    headings = {_plain(column.heading) for column in listed.columns if column.heading}
    name = " ".join(word for word in _plain(listed.sheet or stem(listed)).split() if word not in _ABOUT)
    return next((one.what for one in STRANGERS if name in one.names or (one.words and len(headings & set(one.words)) >= one.least)), "")


def _plain(text: str) -> str:
    return normal(_CAMEL.sub(" ", text))
