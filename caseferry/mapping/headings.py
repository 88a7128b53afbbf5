"""Headings, made comparable: case, punctuation, odd spaces and line breaks do not count."""

import re

_JOINERS = re.compile(r"[\s\u00a0\u2007\u202f.:;?*()\[\]'\"’`/\\_,+&–—-]+")


def normal(heading: str | None) -> str:
    """`"Matter  No.:"` and `"matter no"` are one heading; `#` reads as `no`."""
    text = (heading or "").replace("#", " no ")
    return _JOINERS.sub(" ", text).strip().casefold()
