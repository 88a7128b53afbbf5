"""petl: a chain of lazy tables."""

import json
import sys
from decimal import Decimal
from pathlib import Path

import petl

from bench.peers import HEADER, STAFF
from bench.peers.rows import cents, day, hours


def main(lists: Path, out: Path) -> dict[str, int]:
    matters = set(petl.fromcsv(str(lists / "Matters.csv")).values("Matter No"))

    def reason(row: petl.Record) -> str:
        return "billed" if row["Billed"] == "Yes" else "" if row["Matter No"] in matters and row["Staff"] in STAFF else "unknown"

    work = petl.fromcsv(str(lists / "WIP.csv")).addrownumbers(start=2).addfield("reason", reason).cache()
    good = (
        work.selecteq("reason", "").convert("Date", day).convert("Staff", STAFF).convert("Rate", cents).convert("Units", hours)
        .rename({"Matter No": "matter", "Date": "date", "Description": "note", "Rate": "price", "Units": "quantity", "Staff": "activity_user"})
        .cut(*HEADER)
    )  # fmt: skip
    good.tocsv(str(out / "activities.csv"), quoting=1)
    work.selectne("reason", "").cut("row", "reason").tocsv(str(out / "rejects.csv"))
    counts = work.valuecounter("reason")
    total = sum((price * quantity).quantize(Decimal("0.01")) for price, quantity in good.values("price", "quantity"))
    return {"carried": counts[""], "excluded": counts["billed"], "quarantined": counts["unknown"], "cents": int(total * 100)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
