"""A Pydantic model for each row, validators for each field: the way an application would take in a list."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bench.peers import STAFF
from bench.peers.rows import Entry, carry, cents, day, hours, matters

_MATTERS: set[str] = set()


def _known(matter: str) -> str:
    if matter not in _MATTERS:
        raise ValueError("unknown matter")
    return matter


class Work(BaseModel):
    date: Annotated[str, BeforeValidator(day)] = Field(alias="Date")
    matter: Annotated[str, BeforeValidator(_known)] = Field(alias="Matter No")
    user: Annotated[str, BeforeValidator(STAFF.__getitem__)] = Field(alias="Staff")
    note: str = Field(alias="Description")
    quantity: Annotated[Decimal, BeforeValidator(hours)] = Field(alias="Units")
    price: Annotated[Decimal, BeforeValidator(cents)] = Field(alias="Rate")
    amount: Annotated[Decimal, BeforeValidator(cents)] = Field(alias="Amount")
    billed: bool = Field(alias="Billed")


def read(row: dict[str, str]) -> Entry | None:
    try:
        entry = Work.model_validate(row)
    except ValidationError:
        return None
    return entry.matter, entry.date, entry.note, entry.price, entry.quantity, entry.user


def main(lists: Path, out: Path, is_logged: bool) -> dict[str, int]:
    _MATTERS.update(matters(lists))
    return carry(lists, out, read, is_logged)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), "log" in sys.argv)))
