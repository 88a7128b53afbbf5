"""What a target profile may say: `config/targets/*.yaml`, checked when it is loaded."""

from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from caseferry.mapping.headings import normal
from caseferry.mapping.layers import read_yaml
from caseferry.mapping.profile import ProfileError

TARGETS = Path(__file__).parents[2] / "config" / "targets"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))


class Column(_Strict):
    required: bool = False
    type: Literal["text", "date", "decimal"] = "text"
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class TargetFile(_Strict):
    """One file the target wants, or one we deliver beside those."""

    record: str
    title: str
    order: int
    known: bool = False
    """The header was seen: `columns` are it, in its order. Otherwise it comes from the firm's template file."""
    upload_as: str = ""
    says: str = ""
    """What a file is that is never imported."""
    per_user: str = ""
    """The column whose user a file is split by."""
    columns: dict[str, Column]
    extra: dict[str, Column] = Field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    needs: tuple[str, ...] = ()
    """Columns a template has to have, or it is no template of this file."""
    marks: tuple[str, ...] = ()

    def every(self) -> dict[str, Column]:
        return self.columns | self.extra

    def aliases(self) -> dict[str, str]:
        """Normal heading → our column."""
        found: dict[str, str] = {}
        for name, column in self.every().items():
            for heading in (name, *column.aliases):
                found.setdefault(normal(heading), name)
        return found


class Capability(_Strict):
    """Something a target can do, or can't, in words a firm understands."""

    can: bool
    says: str
    choices: tuple[str, ...] = ()
    """What a firm may decide where it can't."""


class Csv(_Strict):
    encoding: str
    line_ending: str


class Target(_Strict):
    target: str
    title: str
    support: str
    csv: Csv
    date_formats: dict[str, str]
    uploads: dict[str, str] = Field(default_factory=dict)
    placeholders: dict[str, str]
    custom_field_name: int
    client_portal: Capability
    todo: tuple[str, ...] = ()
    files: dict[str, TargetFile]


@lru_cache
def load_target(name: str, folder: Path = TARGETS) -> Target:
    """The profile of one target.

    Raises:
        ProfileError: there is none, or it does not follow the rules.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise ProfileError(f"no target {name!r}; there are: {known}")
    try:
        return Target.model_validate(read_yaml(path))
    except ValueError as error:
        raise ProfileError(f"{path.name}: {error}") from error
