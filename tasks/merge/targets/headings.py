"""How the columns of custom fields are headed in a target's file."""

import re
from collections.abc import Iterable

_LONGEST_API = 40
"""Characters of a developer name, without what the form puts behind it. Source: Salesforce, custom field attributes."""


def heading_of(form: str, field: str, number: int = 1) -> str:
    """The heading of one: `{name}` is the field's name, `{api}` the same in letters, digits and single underscores, a letter first.

    Args:
        number: goes behind the name, where the plain one is taken.
    """
    again = f" {number}" if number > 1 else ""
    api = re.sub(r"[^A-Za-z0-9]+", "_", field).strip("_") or "field"
    api = api if api[0].isalpha() else f"X{api}"
    api = api[: _LONGEST_API - len(again)].rstrip("_") + again.replace(" ", "_")
    return form.format(name=" ".join(field.split()) + again, api=api)


def headings_of(form: str, fields: Iterable[str], taken: Iterable[str]) -> list[str]:
    """A heading for each field, none of which the file has already: where one is taken, a number goes behind the name."""
    known, made = {heading.casefold() for heading in taken}, []
    for field in fields:
        heading, number = heading_of(form, field), 1
        while heading.casefold() in known:
            number += 1
            heading = heading_of(form, field, number)
        known.add(heading.casefold())
        made.append(heading)
    return made
