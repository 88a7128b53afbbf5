"""A Pydantic model for each row, validators for each field: the way an application would take in a list."""

import csv
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from bench.peers import HEADER, STAFF
from bench.peers.rows import cents, day, hours

_MATTERS: set[str] = set()


def _known(matter: str) -> str:
    if matter not in _MATTERS:
        raise ValueError("unknown matter")
    return matter


class Entry(BaseModel):
    date: Annotated[str, BeforeValidator(day)] = Field(alias="Date")
    matter: Annotated[str, BeforeValidator(_known)] = Field(alias="Matter No")
    user: Annotated[str, BeforeValidator(STAFF.__getitem__)] = Field(alias="Staff")
    note: str = Field(alias="Description")
    quantity: Annotated[Decimal, BeforeValidator(hours)] = Field(alias="Units")
    price: Annotated[Decimal, BeforeValidator(cents)] = Field(alias="Rate")
    amount: Annotated[Decimal, BeforeValidator(cents)] = Field(alias="Amount")
    billed: bool = Field(alias="Billed")


def main(lists: Path, out: Path) -> dict[str, int]:
    with (lists / "Matters.csv").open(newline="", encoding="utf-8") as file:
        _MATTERS.update(row["Matter No"] for row in csv.DictReader(file))
    counts = {"carried": 0, "excluded": 0, "quarantined": 0}
    total = Decimal(0)
    with (
        (lists / "WIP.csv").open(newline="", encoding="utf-8") as file,
        (out / "activities.csv").open("w", newline="", encoding="utf-8") as made,
        (out / "rejects.csv").open("w", newline="", encoding="utf-8") as left,
    ):
        good, bad = csv.writer(made, quoting=csv.QUOTE_ALL), csv.writer(left)
        good.writerow(HEADER)
        for number, row in enumerate(csv.DictReader(file), 2):
            if row["Billed"] == "Yes":
                counts["excluded"] += 1
                bad.writerow([number, "billed"])
                continue
            try:
                entry = Entry.model_validate(row)
            except ValidationError:
                counts["quarantined"] += 1
                bad.writerow([number, "unknown"])
                continue
            total += (entry.price * entry.quantity).quantize(Decimal("0.01"))
            counts["carried"] += 1
            good.writerow([entry.matter, entry.date, entry.note, entry.price, entry.quantity, entry.user])
    return counts | {"cents": int(total * 100)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
