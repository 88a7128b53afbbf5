"""One YAML file laid over another: a profile that is like another, a mapping with a firm's own rules on top."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml


def read_yaml(path: Path) -> object:
    """A YAML file's content, by the C reader where it is there: ten times as fast."""
    return yaml.load(path.read_text("utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any], lists: Literal["joined", "replaced"] = "joined", *, keep_nothing: bool = False) -> dict[str, Any]:
    """Mappings key by key; `null` takes a key away; else what is above counts.

    Args:
        lists: joined, those above first, and so are the keys: whoever looks for a heading finds the newer one first.
            Replaced, the keys stay in the order of what is below: of a file's columns that is the order they have.
        keep_nothing: both are rules for a third: a `null` above stays, to take the key away there.
    """
    made: dict[str, Any] = {}
    first, second = (above, below) if lists == "joined" else (below, above)
    for key in [*first, *(key for key in second if key not in first)]:
        ours, theirs = above.get(key, below.get(key)), below.get(key)
        if key not in above or theirs is None:
            value = ours
        elif isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            value = laid_over(theirs, ours, lists, keep_nothing=keep_nothing)
        elif lists == "joined" and isinstance(ours, list) and isinstance(theirs, list):
            value = [*ours, *(one for one in theirs if one not in ours)]
        else:
            value = ours
        if value is not None or (keep_nothing and key in (above if key in above else below)):
            made[key] = value
    return made


def as_key(rules: Mapping[str, Any]) -> str:
    """Rules as text that can be compared and remembered; nothing for none."""
    return json.dumps(rules, sort_keys=True, ensure_ascii=False) if rules else ""
