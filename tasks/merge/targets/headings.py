"""How the columns of custom fields are headed in a target's file."""

import re
from collections.abc import Iterable


def heading_of(form: str, field: str) -> str:
    """The heading of one: `{name}` is the field's name, `{api}` the same in letters, digits and single underscores."""
    api = re.sub(r"[^A-Za-z0-9]+", "_", field).strip("_")
    return form.format(name=" ".join(field.split()), api=api or "field")


def headings_of(form: str, fields: Iterable[str], taken: Iterable[str]) -> list[str]:
    """A heading for each field, none of which the file has already: where one is taken, a number goes behind the name."""
    known, made = {heading.casefold() for heading in taken}, []
    for field in fields:
        heading, number = heading_of(form, field), 1
        while heading.casefold() in known:
            number += 1
            heading = heading_of(form, f"{field} {number}")
        known.add(heading.casefold())
        made.append(heading)
    return made
